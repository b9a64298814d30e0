#include "signfold/training/autoencoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "signfold/base/error.h"
#include "signfold/base/linalg.h"

namespace signfold {

TrainedDecoderChoice parse_trained_decoder(const std::string& text) {
  constexpr std::string_view kNetwork = "network:mlp:";
  constexpr std::string_view kLayers = "network:";
  if (text == "tied") return {TrainedDecoder::tied};
  if (text == "tied-rows") return {TrainedDecoder::tied_rows};
  if (text == "untied") return {TrainedDecoder::untied};
  if (text.starts_with(kNetwork)) {
    constexpr std::size_t kMostHidden = 1 << 20;
    std::size_t hidden = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data() + kNetwork.size(), end, hidden);
    if (problem == std::errc() && stop == end && hidden > 0 && hidden <= kMostHidden) {
      return {TrainedDecoder::network, hidden};
    }
    fail("decoder '{}': network:mlp:H takes a number of hidden units from 1 to {}", text, kMostHidden);
  }
  if (text.starts_with(kLayers)) {
    constexpr int kMostLayers = 64;
    int layers = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data() + kLayers.size(), end, layers);
    if (problem == std::errc() && stop == end && layers > 0 && layers <= kMostLayers) {
      return {TrainedDecoder::layers, 0, layers};
    }
    fail("decoder '{}': network:L takes a number of layers from 1 to {}, network:mlp:H hidden units", text,
         kMostLayers);
  }
  fail("unknown trained decoder '{}'; there are: tied, tied-rows, untied, network:L, network:mlp:H", text);
}

std::string to_string(TrainedDecoderChoice choice) {
  if (choice.kind == TrainedDecoder::network) return fmt::format("network:mlp:{}", choice.hidden);
  if (choice.kind == TrainedDecoder::layers) return fmt::format("network:{}", choice.layers);
  if (choice.kind == TrainedDecoder::tied) return "tied";
  return choice.kind == TrainedDecoder::tied_rows ? "tied-rows" : "untied";
}

EncoderShapeReport describe_encoder(MatrixView<const float> b) {
  const bool wide = b.rows <= b.cols;
  const std::size_t n = std::min(b.rows, b.cols);
  Matrix<float> gram(n, n);
  gemm(!wide, wide, wide ? 1.0F : static_cast<float>(b.cols) / static_cast<float>(b.rows), b, b, 0.0F, gram);
  EncoderShapeReport report;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (wide && i == j) continue;
      report.orthogonality = std::max(report.orthogonality, std::abs(gram(i, j) - (i == j ? 1.0 : 0.0)));
    }
  }
  std::vector<float> largest(b.rows);
  for (std::size_t i = 0; i < b.rows; ++i) {
    for (const float v : b.row(i)) largest[i] = std::max(largest[i], std::abs(v));
  }
  const auto middle = largest.begin() + static_cast<std::ptrdiff_t>(largest.size() / 2);
  std::ranges::nth_element(largest, middle);
  report.diagonal_weight = static_cast<double>(*middle);
  return report;
}

}  // namespace signfold
