#include "signfold/encoder/mixed.h"

#include <algorithm>
#include <cmath>

#include "signfold/encoder/fast_rotation.h"

namespace signfold {
namespace {

/// Block b of a mixed encoder takes the signs of its rotation from the streams kSignStreams·b on.
constexpr std::uint64_t kSignStreams = 8;
static_assert(kSignStreams >= FastRotation::kMostSteps);

/// The random rows of a block that is cut to `count` of its d rows. The first block of mixed and identity is cut alike.
std::vector<std::uint32_t> kept_rows(std::uint64_t seed, std::uint64_t block, std::size_t dim, std::size_t count) {
  RandomStream stream(seed, Purpose::hadamard_keep, block);
  return random_subset(stream, dim, count);
}

/// Eigenvalues of B Bᵀ when B stacks orthogonal d × d blocks and some rows of one more: Bᵀ B is then the identity times
/// the number of whole blocks, plus the projection on the span of the rows of the last one.
std::vector<double> stacked_spectrum(const EncoderShape& shape) {
  const std::size_t whole = shape.bits / shape.dim;
  const std::size_t rest = shape.bits % shape.dim;
  std::vector<double> values(shape.bits, 0.0);
  for (std::size_t k = 0; k < std::min(shape.bits, shape.dim); ++k) {
    values[k] = static_cast<double>(k < rest ? whole + 1 : whole);
  }
  return values;
}

/// B_b x = m x + Rᵀ T R x. T acts on neighbours (y₀, y₁) as √(1−m²)·(y₁, −y₀), and for odd d on the last coordinate as
/// 1 − m: there the two terms add up to y itself.
class MixedEncoder final : public Encoder {
 public:
  MixedEncoder(EncoderShape shape, double m, std::uint64_t seed) : Encoder(shape, seed), m_(m) {
    const std::size_t count = (bits() + dim() - 1) / dim();
    for (std::size_t b = 0; b < count; ++b) blocks_.emplace_back(dim(), seed, Purpose::mixed, kSignStreams * b);
    if (bits() % dim() != 0) keep_ = kept_rows(seed, count - 1, dim(), bits() % dim());
    const double both_scales = blocks_[0].scale() * blocks_[0].scale();
    diagonal_ = static_cast<float>(m);
    pair_ = static_cast<float>(std::sqrt(1 - m * m) * both_scales);
    lone_ = static_cast<float>((1 - m) * both_scales);
  }

  std::string name() const override { return fmt::format("mixed:{}", m_); }
  bool orthonormal() const override { return bits() <= dim(); }
  bool delocalised() const override { return false; }
  double alignment() const override { return m_; }
  std::vector<double> spectrum() const override { return stacked_spectrum(shape()); }
  bool portable() const override { return true; }

 private:
  /// out = B_b x, or B_bᵀ x with `pair` of the other sign. out must not be x.
  void block(const FastRotation& rotation, float pair, std::span<const float> x, std::span<float> out) const {
    rotation.forward(x, 1, out);
    for (std::size_t j = 0; j + 1 < out.size(); j += 2) {
      const float y0 = out[j];
      out[j] = pair * out[j + 1];
      out[j + 1] = -pair * y0;
    }
    if (out.size() % 2 != 0) out.back() *= lone_;
    rotation.backward(out, 1, out);
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = diagonal_ * x[j] + out[j];
  }

  bool cut(std::size_t b) const { return !keep_.empty() && b + 1 == blocks_.size(); }

  void do_apply(MatrixView<const float> x, MatrixView<float> u) const override {
    Matrix<float> work(1, dim());
    for (std::size_t i = 0; i < x.rows; ++i) {
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        block(blocks_[b], pair_, x.row(i), work.row(0));
        const std::span<float> out = u.row(i).subspan(b * dim());
        if (cut(b)) {
          for (std::size_t k = 0; k < keep_.size(); ++k) out[k] = work(0, keep_[k]);
        } else {
          std::copy_n(work.data(), dim(), out.data());
        }
      }
    }
  }

  void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const override {
    Matrix<float> spread(1, dim());
    Matrix<float> work(1, dim());
    for (std::size_t i = 0; i < s.rows; ++i) {
      std::ranges::fill(v.row(i), 0.0F);
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        std::span<const float> in = s.row(i).subspan(b * dim());
        if (cut(b)) {
          std::ranges::fill(spread.values(), 0.0F);
          for (std::size_t k = 0; k < keep_.size(); ++k) spread(0, keep_[k]) = in[k];
          in = spread.row(0);
        }
        block(blocks_[b], -pair_, in.first(dim()), work.row(0));
        for (std::size_t j = 0; j < dim(); ++j) v(i, j) += work(0, j);
      }
    }
  }

  double m_;
  std::vector<FastRotation> blocks_;
  std::vector<std::uint32_t> keep_;  ///< rows of the last block; empty = all
  float diagonal_ = 0;
  float pair_ = 0;
  float lone_ = 0;
};

/// Row i of B is the unit vector of coordinate source(i).
class IdentityEncoder final : public Encoder {
 public:
  IdentityEncoder(EncoderShape shape, std::uint64_t seed) : Encoder(shape, seed) {
    if (bits() < dim()) keep_ = kept_rows(seed, 0, dim(), bits());
  }

  std::string name() const override { return "identity"; }
  bool orthonormal() const override { return bits() <= dim(); }
  bool delocalised() const override { return false; }
  double alignment() const override { return 1; }
  std::vector<double> spectrum() const override { return stacked_spectrum(shape()); }
  bool portable() const override { return true; }

 private:
  std::size_t source(std::size_t i) const { return keep_.empty() ? i % dim() : keep_[i]; }

  void do_apply(MatrixView<const float> x, MatrixView<float> u) const override {
    for (std::size_t k = 0; k < x.rows; ++k) {
      for (std::size_t i = 0; i < bits(); ++i) u(k, i) = x(k, source(i));
    }
  }

  void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const override {
    for (std::size_t k = 0; k < s.rows; ++k) {
      std::ranges::fill(v.row(k), 0.0F);
      for (std::size_t i = 0; i < bits(); ++i) v(k, source(i)) += s(k, i);
    }
  }

  std::vector<std::uint32_t> keep_;  ///< for n < d
};

}  // namespace

EncoderPtr make_mixed(EncoderShape shape, double m, std::uint64_t seed) {
  if (!(m >= 0 && m <= 1)) fail("encoder mixed:{}: the weight of the identity must lie between 0 and 1", m);
  return std::make_shared<MixedEncoder>(shape, m, seed);
}

EncoderPtr make_identity(EncoderShape shape, std::uint64_t seed) {
  return std::make_shared<IdentityEncoder>(shape, seed);
}

}  // namespace signfold
