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
  /// B x / gain in the first n numbers of work. (Copies between pointers, here and below: between a span and a span of
  /// const, libstdc++ 12 copies number by number.)
  void rotate(std::span<const float> x, std::span<float> work) const {
    if (place_.empty()) {
      std::copy_n(x.data(), x.size(), work.data());
    } else {
      std::ranges::fill(work, 0.0F);
      for (std::size_t j = 0; j < place_.size(); ++j) work[place_[j]] = x[j];
    }
    rotation_.forward(work);
    for (std::size_t i = 0; i < keep_.size(); ++i) work[i] = work[keep_[i]];  // in place: keep_ increases
  }

  void do_apply(MatrixView<const float> x, MatrixView<float> u) const override {
    Matrix<float> work(1, rotation_.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
      rotate(x.row(i), work.row(0));
      std::copy_n(work.data(), bits(), u.row(i).data());
      simd::scale(u.row(i), gain_);
    }
  }

  void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const override {
    Matrix<float> work(1, rotation_.size());
    for (std::size_t i = 0; i < x.rows; ++i) {
      rotate(x.row(i), work.row(0));
      simd::pack_signs(work.row(0).first(bits()), codes.row(i));
    }
  }

  void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const override {
    Matrix<float> work(1, rotation_.size());
    for (std::size_t i = 0; i < s.rows; ++i) {
      spread(s.row(i), work.row(0));
      rotation_.backward(work.row(0));
      gather(work.row(0), v.row(i));
      simd::scale(v.row(i), gain_);
    }
  }

  /// The rows of R that are not kept see a zero.
  void spread(std::span<const float> s, std::span<float> work) const {
    if (keep_.empty()) {
      std::copy_n(s.data(), s.size(), work.data());
      return;
    }
    std::ranges::fill(work, 0.0F);
    for (std::size_t i = 0; i < keep_.size(); ++i) work[keep_[i]] = s[i];
  }

  void gather(std::span<const float> work, std::span<float> v) const {
    if (place_.empty()) {
      std::copy_n(work.data(), v.size(), v.data());
      return;
    }
    for (std::size_t j = 0; j < place_.size(); ++j) v[j] = work[place_[j]];
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
