// Fitting a model: to data (prior learned) or to a known prior.
#pragma once

#include <cstdint>
#include <string>

#include "signfold/base/progress.h"
#include "signfold/codec/model.h"
#include "signfold/source/source.h"

namespace signfold {

enum class Centering { automatic, always, never };  ///< automatic: when the mean carries more than 1 % of the energy

struct FitOptions {
  double rate = 1;
  std::string encoder = "auto";    ///< a name of make_encoder, "mixed", "auto", "dense:FILE.npy" or "dense:MODEL.sfm"
  std::string decoder = "auto";    ///< see parse_decoder
  std::string basis = "identity";  ///< "identity", "pca", "dct2:HxW"
  std::string prior = "auto";      ///< auto = profile; "iid" = one learned law; or a textual prior
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
/// on at most 1000 of the vectors. The predicted risk takes the learned prior for the truth: with fewer vectors than
/// coordinates and basis "pca" it is optimistic. Throws Error for options that do not fit the data or each other.
Model fit(Source& source, const FitOptions& options);
/// The model for i.i.d. coordinates of a known prior: no data needed.
Model model_for_prior(const PriorPtr& prior, std::size_t dim, const FitOptions& options);

/// Resolves "auto" and "mixed" at a rate: "hadamard" or "mixed:M". `prior` is what the layers of a rotation would know;
/// `pooled`, the law of a coordinate chosen at random, decides how well the mixed encoder does (docs/math.md section
/// 4).
std::string resolve_encoder(const std::string& name, const VectorPrior& prior, const Prior& pooled, double rate);

}  // namespace signfold
