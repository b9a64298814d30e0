// Choosing and compiling a decoder from its name: linear, affine, denoise, rigamp, rigamp:L, network:L, auto.
#pragma once

#include <span>
#include <string>

#include "signfold/decoder/network.h"

namespace signfold {

/// A decoder as users name it.
struct DecoderChoice {
  enum class Kind { automatic, linear, affine, denoise, rigamp, network } kind = Kind::automatic;
  int layers = 0;  ///< rigamp:L, network:L; 0 = chosen by default_layers()
};
/// "auto", "linear", "affine", "denoise", "rigamp", "rigamp:L" or "network:L" (1 ≤ L ≤ 64). Throws Error listing them.
DecoderChoice parse_decoder(const std::string& text);
std::string decoder_help();

/// The network for an encoder and a prior, all scalars from theory. Encoders that are not delocalised (identity,
/// mixed) have no layers beyond the linear one, whatever was asked. Layers of a delocalised encoder have the two-term
/// form where that is valid (guard G5), and the full-memory form of its own spectrum (at most kMostMemoryLayers) where
/// it is not. The layers of network:L are those of rigamp:L before training: the two-term form, as many as asked.
/// Throws Error for network:L where that form is not valid.
NetworkParameters compile_decoder(const DecoderChoice& choice, const Encoder& encoder, const VectorPrior& prior);

/// Guard G5 of docs/rigamp.md section 5: is the two-term form valid for B with tr((BBᵀ)²)/n = fourth?
bool two_term_valid(double rate, double fourth, const Schedule& schedule);

/// A depth whose measured risk is within 5 % of the best at finite d: as many layers, of a (long enough) list of
/// predicted risks, as gain more than 1.3/d each, at least one.
int default_layers(std::span<const double> risks, std::size_t dim);

/// Which decoder a network is, for people: "linear", "affine", "denoiser", "two-term", "full-memory",
/// "network:L" or "network:mlp:H".
std::string decoder_form(const NetworkParameters& network);

}  // namespace signfold
