// Fitting a model: to data (prior learned) or to a known prior.
#pragma once

#include <cstdint>
#include <string>

#include "signfold/base/progress.h"
#include "signfold/codec/model.h"
#include "signfold/source/source.h"

namespace signfold {

enum class Centering { automatic, always, never };  ///< automatic: when the mean carries more than 1 % of the energy

/// Of decoder network:L (docs/rigamp.md section 8).
struct NetworkOptions {
  std::size_t steps = 1000;
  bool splines = false;     ///< pointwise functions that may leave those of the prior
  bool own_matrix = false;  ///< layers with a matrix of their own
};

struct FitOptions {
  double rate = 1;
  std::string encoder = "auto";    ///< a name of make_encoder, "mixed", "auto", "dense:FILE.npy" or "dense:MODEL.sfm"
  std::string decoder = "auto";    ///< see parse_decoder
  std::string basis = "identity";  ///< "auto" (see choose_basis), "pca", or a name of make_basis
  std::string prior = "auto";      ///< auto = profile; "iid" = one learned law; or a textual prior
  NetworkOptions network;
  bool whiten = false;
  double epsilon = 1e-2;  ///< of whitening, relative to the mean eigenvalue
  Centering center = Centering::automatic;
  ScaleKind scale = ScaleKind::f16;
  std::uint64_t seed = 1;
  std::uint64_t max_rows = 100000;  ///< vectors used for fitting, spread evenly
  int threads = 0;
  Progress progress;
};

/// Learns a model from the vectors of a source. Where `decoder` leaves the depth open, it is the depth that does best
/// on at most 1000 of the vectors. Basis "auto" compares the bases of candidate_bases on held-out vectors and fits the
/// one chosen to all; the metadata "bases compared" lists their risks. Where the basis changes nothing (linear decoder)
/// or is given by the rest (affine decoder, aligned encoders) it is the identity. The predicted risk takes the learned
/// prior for the truth: with fewer vectors than coordinates and basis "pca" it is optimistic. Throws Error for options
/// that do not fit the data or each other.
Model fit(Source& source, const FitOptions& options);
/// The model for i.i.d. coordinates of a known prior: no data needed. network:L is trained on vectors drawn from it.
Model model_for_prior(const PriorPtr& prior, std::size_t dim, const FitOptions& options);

/// Resolves "auto" and "mixed" at a rate: "hadamard" or "mixed:M". `prior` is what the layers of a rotation would know;
/// `pooled`, the law of a coordinate chosen at random, decides how well the mixed encoder does (docs/math.md section
/// 4).
std::string resolve_encoder(const std::string& name, const VectorPrior& prior, const Prior& pooled, double rate);

}  // namespace signfold
