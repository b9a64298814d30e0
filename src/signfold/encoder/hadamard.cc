#include "signfold/encoder/hadamard.h"

#include <algorithm>
#include <cmath>

#include "signfold/encoder/fast_rotation.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

/// B = gain · (kept rows of R) for n ≤ d and gain · (columns of R where x is placed) for n > d, R on max(n, d)
/// coordinates. The gain is positive, so encode leaves it out.
class HadamardEncoder final : public Encoder {
 public:
  HadamardEncoder(EncoderShape shape, std::uint64_t seed)
      : Encoder(shape, seed), rotation_(std::max(dim(), bits()), seed, Purpose::hadamard_signs, 0) {
    double gain = rotation_.scale();
    if (bits() > dim()) {
      RandomStream stream(seed, Purpose::hadamard_place);
      place_ = random_subset(stream, bits(), dim());
      gain *= std::sqrt(shape.rate());
    } else if (bits() < dim()) {
      RandomStream stream(seed, Purpose::hadamard_keep);
      keep_ = random_subset(stream, dim(), bits());
    }
    gain_ = static_cast<float>(gain);
  }

  std::string name() const override { return "hadamard"; }
  bool orthonormal() const override { return true; }
  bool delocalised() const override { return true; }
  bool portable() const override { return true; }

 private:
  /// x as the rotation wants it: itself, or placed among zeros in `work`.
  std::span<const float> placed(std::span<const float> x, std::span<float> work) const {
    if (place_.empty()) return x;
    std::ranges::fill(work, 0.0F);
    for (std::size_t j = 0; j < place_.size(); ++j) work[place_[j]] = x[j];
    return work;
  }

  /// The coordinates of u that are kept, in place: keep_ increases.
  void cut(std::span<float> u) const {
    for (std::size_t i = 0; i < keep_.size(); ++i) u[i] = u[keep_[i]];
  }

  void do_apply(MatrixView<const float> x, MatrixView<float> u) const override {
    Matrix<float> work = keep_.empty() ? Matrix<float>() : Matrix<float>(1, rotation_.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
      const std::span<float> out = keep_.empty() ? u.row(i) : work.row(0);
      rotation_.forward(placed(x.row(i), out), gain_, out);
      cut(out);
      if (!keep_.empty()) std::copy_n(out.data(), bits(), u.row(i).data());
    }
  }

  void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const override {
    Matrix<float> work(1, rotation_.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
      const std::span<const float> from = placed(x.row(i), work.row(0));
      if (keep_.empty()) {
        rotation_.encode(from, work.row(0), codes.row(i));
      } else {
        rotation_.forward(from, 1, work.row(0));
        cut(work.row(0));
        simd::pack_signs(work.row(0).first(bits()), codes.row(i));
      }
    }
  }

  void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const override {
    Matrix<float> work = place_.empty() ? Matrix<float>() : Matrix<float>(1, rotation_.size());
    for (std::size_t i = 0; i < s.rows; ++i) {
      const std::span<float> out = place_.empty() ? v.row(i) : work.row(0);
      rotation_.backward(spread(s.row(i), out), gain_, out);
      for (std::size_t j = 0; j < place_.size(); ++j) v(i, j) = out[place_[j]];
    }
  }

  /// The rows of R that are not kept see a zero.
  std::span<const float> spread(std::span<const float> s, std::span<float> work) const {
    if (keep_.empty()) return s;
    std::ranges::fill(work, 0.0F);
    for (std::size_t i = 0; i < keep_.size(); ++i) work[keep_[i]] = s[i];
    return work;
  }

  FastRotation rotation_;
  std::vector<std::uint32_t> place_;  ///< where x goes among the n coordinates; empty for n ≤ d
  std::vector<std::uint32_t> keep_;   ///< which coordinates become bits; empty for n ≥ d
  float gain_ = 1;
};

}  // namespace

EncoderPtr make_hadamard(EncoderShape shape, std::uint64_t seed) {
  return std::make_shared<HadamardEncoder>(shape, seed);
}

}  // namespace signfold
