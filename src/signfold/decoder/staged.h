// A code in stages: each keeps the signs of what the stages before it could not reconstruct (docs/math.md section 13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signfold/base/matrix.h"

namespace signfold {

constexpr std::size_t kMostStages = 64;
constexpr std::size_t kMostRounds = 65536;  // of a search for bits

/// Throws Error unless there is a stage, not more than kMostStages, and none without bits.
void check_stage_bits(const std::vector<std::size_t>& bits);
/// Throws Error for more than kMostRounds.
void check_rounds(std::size_t rounds);

/// Encoder and decoder in one, since every stage encodes what the decoder of those before it has missed. A row of a
/// code has the bits of stage 1 first, then those of stage 2, and so on: a prefix of it is the code of fewer stages.
/// Immutable and thread-safe; methods run on the calling thread.
class StagedCode {
 public:
  virtual ~StagedCode() = default;
  StagedCode(const StagedCode&) = delete;
  StagedCode& operator=(const StagedCode&) = delete;

  std::size_t dim() const { return dim_; }
  /// Of each stage.
  const std::vector<std::size_t>& stage_bits() const { return bits_; }
  std::size_t count() const { return bits_.size(); }
  /// Of the first `stages` stages; of all of them.
  std::size_t bits(std::size_t stages) const;
  std::size_t bits() const { return bits(count()); }
  /// After the first `stages` stages, from 1 on: predicted, or measured on vectors that training has not seen.
  virtual double risk(std::size_t stages) const = 0;
  /// Of the kind: "staged", "rotated:S".
  virtual std::string name() const = 0;
  virtual std::uint64_t seed() const = 0;
  /// What a stage (counted from 0) is, for people, e.g. "256 hidden units".
  virtual std::string describe(std::size_t stage) const = 0;
  /// Whether vectors of unit mean square are wanted: a stored norm makes them so.
  virtual bool wants_unit_norm() const = 0;

  /// x: k × d, codes: k × ⌈bits()/8⌉ bytes. A row's code depends on that row only.
  void encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const;
  /// Whether search() can be called.
  virtual bool can_search() const { return false; }
  /// Changes the codes of x to ones that give it back better, in so many rounds; 0 = none. Throws Error for a kind of
  /// code that knows no search, and for too many rounds.
  void search(MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) const;
  /// x̂ (k × d) from the first `stages` stages, at least 1; the codes may hold those only. Throws Error for stages out
  /// of range and shapes that do not match.
  void decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const;

 protected:
  /// Throws Error as check_stage_bits does, and for no coordinates.
  StagedCode(std::size_t dim, std::vector<std::size_t> bits);

 private:
  void check_shapes(MatrixView<const float> x, MatrixView<const std::uint8_t> codes) const;
  virtual void do_encode(MatrixView<const float> x, MatrixView<std::uint8_t> codes) const = 0;
  virtual void do_search(MatrixView<const float> x, std::size_t rounds, MatrixView<std::uint8_t> codes) const;
  virtual void do_decode(MatrixView<const std::uint8_t> codes, std::size_t stages, MatrixView<float> x) const = 0;

  std::size_t dim_;
  std::vector<std::size_t> bits_;
};

using StagedPtr = std::shared_ptr<const StagedCode>;

}  // namespace signfold
