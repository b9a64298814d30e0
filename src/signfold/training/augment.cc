#include "signfold/training/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/random.h"

namespace signfold {
namespace {

constexpr std::string_view kShift = "shift:";
constexpr std::size_t kGrain = 16;

class AugmentedBatches final : public Batches {
 public:
  AugmentedBatches(MatrixView<const float> rows, std::size_t height, std::size_t width, std::vector<float> mean,
                   const Augmentation& augmentation, std::uint64_t seed)
      : rows_(rows),
        height_(height),
        width_(width),
        mean_(std::move(mean)),
        augmentation_(augmentation),
        seed_(seed),
        order_(rows.rows, seed) {}
  std::size_t dim() const override { return rows_.cols; }
  void fill(std::uint64_t first, MatrixView<float> x, Team& team) override {
    std::vector<std::size_t> from(x.rows);
    for (std::size_t i = 0; i < x.rows; ++i) from[i] = order_.row(first + i);
    team.run(x.rows, kGrain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) change(first + i, rows_.row(from[i]), x.row(i));
    });
  }

 private:
  /// The image with its mean, moved, without the mean of where it came to lie.
  void change(std::uint64_t visit, std::span<const float> from, std::span<float> to) const {
    RandomStream stream(seed_, Purpose::augment, visit);
    const bool mirror = augmentation_.mirror && stream.below(2) == 1;
    const auto draw = [&] {
      const std::size_t k = augmentation_.shift;
      return static_cast<std::ptrdiff_t>(stream.below(2 * k + 1)) - static_cast<std::ptrdiff_t>(k);
    };
    const std::ptrdiff_t down = draw();
    const std::ptrdiff_t right = draw();
    const auto place = [](std::size_t at, std::ptrdiff_t by, std::size_t size) {
      return static_cast<std::size_t>(
          std::clamp(static_cast<std::ptrdiff_t>(at) - by, std::ptrdiff_t{0}, static_cast<std::ptrdiff_t>(size) - 1));
    };
    for (std::size_t plane = 0; plane < from.size(); plane += height_ * width_) {
      for (std::size_t i = 0; i < height_; ++i) {
        const std::size_t source = plane + place(i, down, height_) * width_;
        const std::size_t target = plane + i * width_;
        for (std::size_t j = 0; j < width_; ++j) {
          const std::size_t column = place(mirror ? width_ - 1 - j : j, right, width_);
          to[target + j] = from[source + column] + (mean_[source + column] - mean_[target + j]);
        }
      }
    }
  }

  MatrixView<const float> rows_;
  std::size_t height_, width_;
  std::vector<float> mean_;
  Augmentation augmentation_;
  std::uint64_t seed_;
  ShuffledOrder order_;
};

}  // namespace

Augmentation parse_augmentation(const std::string& text) {
  Augmentation out;
  if (text == "none") return out;
  std::string_view rest = text;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    if (part == "mirror") {
      out.mirror = true;
    } else if (part.starts_with(kShift)) {
      const std::string_view number = part.substr(kShift.size());
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.shift);
      if (error != std::errc() || end != number.data() + number.size() || out.shift == 0 || out.shift > 1000) {
        fail("'{}' is not a shift: write shift:K with K from 1 on", part);
      }
    } else {
      fail("unknown augmentation '{}'; there are: none, mirror, shift:K, or several as in mirror,shift:1", part);
    }
    if (part.size() == rest.size()) return out;
    rest.remove_prefix(part.size() + 1);
  }
}

std::string to_string(const Augmentation& augmentation) {
  if (augmentation.none()) return "none";
  std::string text = augmentation.mirror ? "mirror" : "";
  if (augmentation.shift > 0) text += fmt::format("{}{}{}", text.empty() ? "" : ",", kShift, augmentation.shift);
  return text;
}

std::unique_ptr<Batches> augmented_batches(MatrixView<const float> rows, const std::vector<std::size_t>& item_shape,
                                           std::vector<float> mean, const Augmentation& augmentation,
                                           std::uint64_t seed) {
  if (rows.rows == 0) fail("there are no vectors to train on");
  if (item_shape.size() != 2 && item_shape.size() != 3) {
    fail("only images can be mirrored and shifted: a vector of these data has the shape {}",
         fmt::join(item_shape, " x "));
  }
  const std::size_t height = item_shape[item_shape.size() - 2];
  const std::size_t width = item_shape.back();
  if (height * width == 0 || rows.cols % (height * width) != 0 || mean.size() != rows.cols) {
    fail("images of shape {} do not have {} coordinates", fmt::join(item_shape, " x "), rows.cols);
  }
  return std::make_unique<AugmentedBatches>(rows, height, width, std::move(mean), augmentation, seed);
}

}  // namespace signfold
