// The operator B behind the bits: z = sign(Bx). One interface, a few implementations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signfold/base/bits.h"
#include "signfold/base/matrix.h"

namespace signfold {

/// The shape of an encoder: d coordinates in, n bits out.
struct EncoderShape {
  std::size_t dim = 0;   ///< d
  std::size_t bits = 0;  ///< n
  double rate() const { return static_cast<double>(bits) / static_cast<double>(dim); }
};
/// Throws Error unless 1 ≤ d, n < 2^31 and n·d ≤ 2^48. Every encoder is checked so.
void check_shape(EncoderShape shape);
/// n = round(rate·d), at least 1. Throws Error for a rate ≤ 0 or not finite, and as check_shape does.
EncoderShape shape_for_rate(std::size_t dim, double rate);

/// An n × d matrix B with (nearly) unit-norm rows, applied without being formed where that is cheaper. Immutable and
/// thread-safe; methods run on the calling thread. Samples are rows.
class Encoder {
 public:
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  const EncoderShape& shape() const { return shape_; }
  std::size_t dim() const { return shape_.dim; }
  std::size_t bits() const { return shape_.bits; }
  std::uint64_t seed() const { return seed_; }
  /// Stable textual form, e.g. "hadamard", "mixed:0.85"; make_encoder(name(), shape, seed) is this encoder again
  /// (except for dense matrices, which are stored as numbers).
  virtual std::string name() const = 0;

  /// u = B x for every row: x is k × d, u is k × n. Throws Error when shapes do not match.
  void apply(MatrixView<const float> x, MatrixView<float> u) const;
  /// v = Bᵀ s for every row: s is k × n, v is k × d.
  void adjoint(MatrixView<const float> s, MatrixView<float> v) const;
  /// Packed bits of sign(B x), bit = (u >= 0): codes is k × code_bytes(n).
  void encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const;

  /// B Bᵀ = I (n ≤ d) or Bᵀ B = (n/d) I (n > d), exactly by construction.
  virtual bool orthonormal() const = 0;
  /// B has no special alignment with the coordinate axes, so Bx is Gaussian whatever the prior: what the theory of
  /// denoising and multi-layer decoders assumes. False for identity and mixed.
  virtual bool delocalised() const = 0;
  /// The weight m of the identity in B = mP + √(1−m²)K: 0 for delocalised encoders, 1 for the identity.
  virtual double alignment() const { return 0; }
  /// The n eigenvalues of B Bᵀ, in decreasing order; their mean is 1. Default: those of an orthonormal B.
  virtual std::vector<double> spectrum() const;
  /// Same codes on every machine, for any SIMD width (dense matrices promise it for one SIMD width only: products with
  /// them are fused where the machine can).
  virtual bool portable() const = 0;

 protected:
  Encoder(EncoderShape shape, std::uint64_t seed);

 private:
  virtual void do_apply(MatrixView<const float> x, MatrixView<float> u) const = 0;
  virtual void do_adjoint(MatrixView<const float> s, MatrixView<float> v) const = 0;
  /// Default: do_apply on small blocks, then pack.
  virtual void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const;

  EncoderShape shape_;
  std::uint64_t seed_;
};

using EncoderPtr = std::shared_ptr<const Encoder>;

/// Makes an encoder from its name: "hadamard", "haar", "identity", "mixed:M" (0 ≤ M ≤ 1), any d ≥ 1, 1 ≤ n ≤ 4096 d.
/// Throws Error that lists the known names. ("mixed" without M and "auto" need a prior: see codec/fit.h.)
EncoderPtr make_encoder(const std::string& name, EncoderShape shape, std::uint64_t seed);
/// The names with a short explanation each, for help texts and error messages.
std::string encoder_help();

}  // namespace signfold
