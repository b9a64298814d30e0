// The main job: vectors to bits, bits to vectors, and how well that went. All streaming, all in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signfold/base/progress.h"
#include "signfold/codec/code_file.h"
#include "signfold/codec/half.h"
#include "signfold/codec/model.h"
#include "signfold/source/source.h"

namespace signfold {

struct RunOptions {
  int threads = 0;    ///< 0 = all cores
  Progress progress;  ///< may be empty
  /// Encoding with a trained staged code: rounds of StagedCode::search; unset = the model's own.
  std::optional<std::size_t> search = std::nullopt;
};

/// Codes and stored scales of k vectors. x: k × d; codes: k × code_bytes(bits); scales: k numbers, ‖t‖/(√d·unit) of the
/// transformed vector t as a code file would give it back (rounded to float16 for ScaleKind::f16); may be empty for
/// ScaleKind::none. A row's code and scale depend on that row only. Throws Error naming the row for values that are not
/// finite and for scales beyond float16 or that decode_rows would refuse.
void encode_rows(const Model& model, MatrixView<const float> x, MatrixView<std::uint8_t> codes, std::span<float> scales,
                 const RunOptions& options = {});
/// The inverse: x̂ (k × d) after `layers` layers (0 = linear, −1 = all), in the original coordinates. `scales` as
/// encode_rows gives them; empty for ScaleKind::none. A scale of 0 decodes to the mean exactly. Throws Error for scales
/// that are negative, not finite, or 1e30 and more times the unit of the model, and for a model whose numbers are so
/// large that a value would not be finite.
/// A staged code: `layers` are stages, from 1 on (−1 = all); where they are given the codes may hold those only.
void decode_rows(const Model& model, MatrixView<const std::uint8_t> codes, std::span<const float> scales, int layers,
                 MatrixView<float> x, const RunOptions& options = {});

/// Encodes every vector of a source into a code file; returns the number of vectors. A source does not tell its file:
/// it is replaced when it has the same path (codec/inputs.h can check).
std::uint64_t encode_file(const Model& model, Source& source, const std::string& path, const RunOptions& options);
/// The same bytes to an output that the caller keeps, such as a pipe; commits it.
std::uint64_t encode_file(const Model& model, Source& source, Output& out, const RunOptions& options);
/// Decodes a code file into a float32 .npy file; returns the number of vectors. Throws Error when the codes belong to
/// another model, or when `path` is the code file itself.
std::uint64_t decode_file(const Model& model, const std::string& codes, const std::string& path, int layers,
                          const RunOptions& options);

/// Throws Error when the codes belong to a model of another encode side.
void check_codes(const Model& model, const CodeReader& reader);
/// Vectors [first, first + count) of a code file; by default all of them.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = UINT64_MAX;  ///< UINT64_MAX = up to the end
};
/// The same for some of the vectors, or from a stream, or to an output that the caller keeps; commits it. Throws Error
/// for rows that are not there, and for more stages than the file has.
std::uint64_t decode_file(const Model& model, CodeReader& codes, Output& out, int layers, RowRange rows,
                          const RunOptions& options);

struct LayerRisk {
  double measured = 0;
  double stderr_ = 0;  ///< standard error over vectors, of a ratio of sums by the delta method
  double predicted = 0;
};
struct Evaluation {
  std::uint64_t vectors = 0;
  std::vector<LayerRisk> layers;    ///< [0] = linear; empty for a staged code,
  std::vector<LayerRisk> prefixes;  ///< which has these: [s] = its first s + 1 stages
  double encode_seconds = 0;
  double decode_seconds = 0;  ///< of one decode with all layers
};
/// Encodes and decodes every vector; risk = Σ‖x − x̂‖² / Σ‖x − training mean‖², in the original coordinates. Throws
/// Error when every vector equals the training mean.
Evaluation evaluate(const Model& model, Source& source, const RunOptions& options);

}  // namespace signfold
