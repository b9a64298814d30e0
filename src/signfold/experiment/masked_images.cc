#include "signfold/experiment/masked_images.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/mask.h"
#include "signfold/source/source.h"
#include "signfold/transform/transform.h"

namespace signfold::experiment {
namespace {

constexpr std::size_t kSide = 32;
constexpr std::size_t kPlanes = 3;
constexpr std::size_t kHeldOut = 10;  // every tenth

/// Means of 2 × 2 pixels.
void halve(std::span<const float> image, std::span<float> out) {
  constexpr std::size_t kHalf = kSide / 2;
  for (std::size_t k = 0; k < out.size(); ++k) {
    const std::size_t corner = k / (kHalf * kHalf) * kSide * kSide + k / kHalf % kHalf * 2 * kSide + k % kHalf * 2;
    out[k] = (image[corner] + image[corner + 1] + image[corner + kSide] + image[corner + kSide + 1]) / 4;
  }
}

/// Every tenth image to `test`, the others to `train`.
WhitenedImages split(const Matrix<float>& images) {
  const std::size_t held_out = (images.rows() + kHeldOut - 1) / kHeldOut;
  WhitenedImages out{Matrix<float>(images.rows() - held_out, kMaskedDim), Matrix<float>(held_out, kMaskedDim)};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < images.rows(); ++i) {
    halve(images.row(i), i % kHeldOut == 0 ? out.test.row(i / kHeldOut) : out.train.row(kept++));
  }
  return out;
}

/// Every row to ‖x‖² = d.
void equalise_norms(Matrix<float>& x) {
  for (std::size_t i = 0; i < x.rows(); ++i) {
    double sum = 0;
    for (const float v : x.row(i)) sum += static_cast<double>(v) * v;
    const double factor = sum > 0 ? std::sqrt(static_cast<double>(x.cols()) / sum) : 0;
    for (float& v : x.row(i)) v = static_cast<float>(v * factor);
  }
}

class MaskedBatches final : public Batches {
 public:
  MaskedBatches(MatrixView<const float> rows, double keep, std::uint64_t seed)
      : rows_(data_batches(rows, seed)), keep_(keep), seed_(seed) {}
  std::size_t dim() const override { return rows_->dim(); }
  void fill(std::uint64_t first, MatrixView<float> x, Team& team) override {
    rows_->fill(first, x, team);
    constexpr std::size_t kGrain = 16;
    team.run(x.rows, kGrain, [&](std::size_t begin, std::size_t end) {
      mask_rows(keep_, seed_, first + begin, x.row_range(begin, end - begin));
    });
  }

 private:
  std::unique_ptr<Batches> rows_;
  double keep_;
  std::uint64_t seed_;
};

}  // namespace

WhitenedImages whitened_images(const std::string& path) {
  constexpr double kEpsilon = 1e-4;
  constexpr int kRounds = 3;  // equal norms make the covariance a little uneven again
  const auto source = open_source(path);
  if (source->dim() != kPlanes * kSide * kSide || source->rows() < 2 * kHeldOut) {
    fail("{} is not a file of CIFAR-10 images", source->description());
  }
  WhitenedImages images = split(read_all(*source));
  for (int round = 0; round < kRounds; ++round) {
    CovarianceAccumulator sums(kMaskedDim);
    sums.add(images.train);
    Transform transform;
    for (const double v : sums.mean()) transform.mean.push_back(static_cast<float>(v));
    set_whitening(transform, sums.covariance(true), kEpsilon);
    for (Matrix<float>* x : {&images.train, &images.test}) {
      forward(transform, *x);
      equalise_norms(*x);
    }
  }
  return images;
}

std::unique_ptr<Batches> masked_batches(MatrixView<const float> rows, double keep, std::uint64_t seed) {
  return std::make_unique<MaskedBatches>(rows, keep, seed);
}

}  // namespace signfold::experiment
