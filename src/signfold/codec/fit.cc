#include "signfold/codec/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/memory.h"
#include "signfold/base/parallel.h"
#include "signfold/codec/choose_basis.h"
#include "signfold/codec/fit_staged.h"
#include "signfold/codec/fit_unrolled.h"
#include "signfold/codec/given_encoder.h"
#include "signfold/codec/learn_profile.h"
#include "signfold/codec/measured_depth.h"
#include "signfold/codec/measured_gain.h"
#include "signfold/codec/rotated.h"
#include "signfold/decoder/decoder.h"
#include "signfold/decoder/fit_affine.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 256;  // rows that a thread takes at a time
constexpr double kMeanShare = 0.01;  // Centering::automatic
constexpr double kRounding = 1e-14;  // the relative energy that rounding a mean to float32 leaves, with room to spare
constexpr const char* kAnyBasis = "auto";  // FitOptions::basis

double squared_norm(std::span<const float> row) {
  double sum = 0;
  for (const float v : row) sum += static_cast<double>(v) * v;
  return sum;
}

/// The mean of ‖x‖² over the rows.
double energy(MatrixView<const float> x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.rows; ++i) sum += squared_norm(x.row(i));
  return sum / static_cast<double>(x.rows);
}

/// The mean of ‖x − mean‖² over the rows.
double energy_around(MatrixView<const float> x, const std::vector<double>& mean) {
  double sum = 0;
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) sum += (x(i, j) - mean[j]) * (x(i, j) - mean[j]);
  }
  return sum / static_cast<double>(x.rows);
}

std::vector<double> mean_of(MatrixView<const float> x) {
  std::vector<double> mean(x.cols);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) mean[j] += x(i, j);
  }
  for (double& v : mean) v /= static_cast<double>(x.rows);
  return mean;
}

Matrix<double> covariance_of(MatrixView<const float> x, bool centred) {
  constexpr double kMatrices = 5;  // sums, covariance, axes, and twice as much for LAPACK
  const auto d = static_cast<double>(x.cols);
  require_memory(kMatrices * sizeof(double) * d * d, fmt::format("the principal axes of {} coordinates", x.cols),
                 "take basis identity, and no whitening");
  CovarianceAccumulator sums(x.cols);
  for (std::size_t begin = 0; begin < x.rows; begin += kGrain) {
    sums.add(x.row_range(begin, std::min(kGrain, x.rows - begin)));
  }
  return sums.covariance(centred);
}

void forward_all(const Transform& transform, MatrixView<float> x, int threads) {
  parallel_for(x.rows, kGrain, threads,
               [&](std::size_t begin, std::size_t end) { forward(transform, x.row_range(begin, end - begin)); });
}

void rotate_all(const Basis& basis, MatrixView<float> x, int threads) {
  if (basis.is_identity()) return;
  parallel_for(x.rows, kGrain, threads, [&](std::size_t begin, std::size_t end) {
    const MatrixView<float> rows = x.row_range(begin, end - begin);
    Matrix<float> rotated(rows.rows, rows.cols);
    basis.forward(rows, rotated);
    for (std::size_t i = 0; i < rows.rows; ++i) std::ranges::copy(rotated.row(i), rows.row(i).begin());
  });
}

/// What the decoder estimates, and what its error counts for.
struct Training {
  MatrixView<float> rows;
  std::vector<double> weights;
};

/// Every row divided by its own root mean square where that is stored (rows of zeros are dropped; the weight is what
/// was divided out, squared), by the unit otherwise. The rows that are left move to the front of x.
Training normalize_rows(MatrixView<float> x, ScaleKind scale, double unit) {
  std::size_t kept = 0;
  std::vector<double> weights;
  for (std::size_t i = 0; i < x.rows; ++i) {
    const double rms = std::sqrt(squared_norm(x.row(i)) / static_cast<double>(x.cols));
    if (scale != ScaleKind::none && rms == 0) continue;
    const double factor = 1 / (scale == ScaleKind::none ? unit : rms);
    for (std::size_t j = 0; j < x.cols; ++j) x(kept, j) = static_cast<float>(x(i, j) * factor);
    weights.push_back(scale == ScaleKind::none ? 1 : rms * rms);
    ++kept;
  }
  return {x.row_range(0, kept), std::move(weights)};
}

/// The transform, the unit and the energies of a model; x is transformed in place.
void fit_transform(const FitOptions& options, const std::string& data, MatrixView<float> x, Model& model) {
  const std::vector<double> mean = mean_of(x);
  const double total = energy(x);
  const double around_mean = energy_around(x, mean);
  if (!(around_mean > kRounding * total)) fail("{}: all vectors are equal, there is nothing to learn", data);
  const bool center = options.center == Centering::always ||
                      (options.center == Centering::automatic && total - around_mean > kMeanShare * total);
  std::vector<float>& stored = center ? model.transform.mean : model.training_mean;
  for (const double v : mean) stored.push_back(static_cast<float>(v));
  if (options.whiten) set_whitening(model.transform, covariance_of(x, center), options.epsilon);
  forward_all(model.transform, x, options.threads);
  const double transformed = energy(x);
  model.unit = std::sqrt(transformed / static_cast<double>(x.cols));
  if (!options.whiten && !center) model.energy_ratio = transformed / around_mean;
}

BasisPtr fit_basis(const std::string& name, MatrixView<const float> x) {
  return name == "pca" ? make_pca_basis(covariance_of(x, true)) : make_basis(name, x.cols);
}

VectorPrior fit_prior(const FitOptions& options, const Training& training) {
  if (options.prior == "auto") {
    return learn_profile(training.rows, training.weights, {options.basis == "pca", options.seed, options.threads});
  }
  if (options.prior == "iid") return learn_iid(training.rows, options.seed);
  return iid_prior(parse_prior(options.prior));
}

/// Decoder and coordinates of a code of rotations are given with it.
void check_rotated(const FitOptions& options) {
  if (options.decoder != "auto" || (options.basis != "identity" && options.basis != kAnyBasis)) {
    fail("encoder {} has a decoder of its own, in the coordinates of the data: leave decoder and basis as they are",
         options.encoder);
  }
}

/// One law for all coordinates.
VectorPrior fit_iid_prior(const FitOptions& options, const Training& training) {
  const bool learned = options.prior == "auto" || options.prior == "iid";
  return learned ? learn_iid(training.rows, options.seed) : iid_prior(parse_prior(options.prior));
}

/// Could the encoder that was asked for be aligned with the coordinates?
bool may_be_aligned(const std::string& encoder) {
  return encoder == "auto" || encoder == "identity" || encoder.starts_with("mixed");
}

EncoderPtr choose_encoder(const FitOptions& options, const VectorPrior& prior, const Prior& pooled, std::size_t dim) {
  if (options.encoder.starts_with(kDensePrefix)) {
    return read_encoder_file(options.encoder.substr(kDensePrefix.size()), dim);
  }
  std::string name = options.encoder;
  if (may_be_aligned(name) && options.basis != "identity") {
    if (name != "auto") fail("the encoder {} is aligned with the coordinates: use it with basis identity", name);
    name = "hadamard";
  }
  name = resolve_encoder(name, prior, pooled, options.rate);
  return make_encoder(name, shape_for_rate(dim, options.rate), options.seed);
}

/// The encoder, and the law its decoder knows: encoders aligned with the coordinates are predicted from one law of them
/// all, which averages over coordinates exactly.
std::pair<EncoderPtr, VectorPrior> fit_encoder(const FitOptions& options, const Training& training) {
  VectorPrior prior = fit_prior(options, training);
  const bool pool = !prior.iid() && may_be_aligned(options.encoder) && options.basis == "identity";
  VectorPrior pooled = pool ? learn_iid(training.rows, options.seed) : prior;
  EncoderPtr encoder = choose_encoder(options, prior, *pooled.shapes[0], training.rows.cols);
  return {encoder, encoder->delocalised() ? std::move(prior) : std::move(pooled)};
}

/// The linear decoder of a matrix that is aligned with the coordinates, as trained ones may be: theory knows nothing of
/// such encoders, so it is measured.
NetworkParameters measured_linear(const Encoder& encoder, const Basis& basis, const Training& training) {
  DecoderChoice choice;
  choice.kind = DecoderChoice::Kind::linear;
  NetworkParameters parameters = compile_decoder(choice, encoder, iid_prior(parse_prior("gaussian")));
  const MeasuredGain measured = measured_gain(encoder, basis, training.rows, training.weights);
  parameters.linear_gain = measured.gain;
  parameters.linear_risk = measured.risk;
  return parameters;
}

UnrolledFitOptions training_of(const FitOptions& options, int layers) {
  UnrolledFitOptions out;
  out.layers = layers;
  out.training.steps = options.network.steps;
  out.training.splines = options.network.splines;
  out.training.matrix = options.network.own_matrix ? UnrolledMatrix::own : UnrolledMatrix::frozen;
  out.seed = options.seed;
  out.threads = options.threads;
  return out;
}

/// The decoder; its depth is measured where the user left it open.
Network fit_network(const FitOptions& options, const EncoderPtr& encoder, const BasisPtr& basis,
                    const VectorPrior& prior, const Training& training) {
  using Kind = DecoderChoice::Kind;
  const DecoderChoice choice = parse_decoder(options.decoder);
  if (choice.kind == Kind::network) {
    return {encoder, basis,
            fit_unrolled(*encoder, *basis, prior, training.rows, training.weights, training_of(options, choice.layers))
                .parameters};
  }
  const bool known = encoder->delocalised() || encoder->alignment() > 0;
  NetworkParameters parameters =
      known ? compile_decoder(choice, *encoder, prior) : measured_linear(*encoder, *basis, training);
  if (choice.kind == Kind::affine) {
    AffineFit affine = fit_affine(*encoder, training.rows, training.weights);
    parameters.affine = std::move(affine.decoder);
    parameters.linear_risk = affine.risk;
  }
  Network network(encoder, basis, std::move(parameters));
  const bool open = choice.kind == Kind::automatic || (choice.kind == Kind::rigamp && choice.layers == 0);
  if (!open || network.layers() < 2) return network;
  const int depth = measured_depth(network, training.rows, training.weights, options.threads);
  if (depth == network.layers()) return network;
  return {encoder, basis, compile_decoder({Kind::rigamp, depth}, *encoder, prior)};
}

/// Reports the steps of a fit; between them it can be stopped.
class Steps {
 public:
  Steps(Progress progress, std::size_t total) : progress_(std::move(progress)), total_(total) {}
  void finished() {
    throw_if_interrupted();
    if (progress_) progress_(++done_, total_);
  }

 private:
  Progress progress_;
  std::size_t total_;
  std::size_t done_ = 0;
};
constexpr std::size_t kStepsPerFit = 3;  // of fit_rows

/// A model of rows in memory, which are overwritten; the basis is named. `data` names them in messages.
Model fit_rows(MatrixView<float> rows, const std::string& data, const FitOptions& options, Steps& steps) {
  Model model;
  model.scale = options.scale;
  fit_transform(options, data, rows, model);
  const BasisPtr basis = fit_basis(options.basis, rows);
  const Training training = normalize_rows(rows, options.scale, model.unit);
  rotate_all(*basis, training.rows, options.threads);
  steps.finished();
  if (const std::optional<int> stages = rotated_stage_count(options.encoder)) {
    model.staged = make_rotated(fit_iid_prior(options, training), rows.cols,
                                shape_for_rate(rows.cols, options.rate).bits, *stages, options.seed);
    steps.finished(), steps.finished();
    return model;
  }
  const auto [encoder, prior] = fit_encoder(options, training);
  steps.finished();
  model.encoder = encoder;
  model.network.emplace(fit_network(options, model.encoder, basis, prior, training));
  steps.finished();
  return model;
}

/// The bases to choose from.
std::vector<std::string> bases_for(const FitOptions& options, const Source& source) {
  if (options.basis != kAnyBasis) return {options.basis};
  using Kind = DecoderChoice::Kind;
  const Kind decoder = parse_decoder(options.decoder).kind;
  const bool aligned = options.encoder != "auto" && may_be_aligned(options.encoder);
  if (aligned || rotated_stage_count(options.encoder) || decoder == Kind::affine || decoder == Kind::linear)
    return {"identity"};
  return candidate_bases(source.item_shape(), source.dim());
}

FitOptions with_basis(FitOptions options, std::string basis) {
  options.basis = std::move(basis);
  return options;
}

}  // namespace

Model fit(Source& source, const FitOptions& options) {
  if (rotated_stage_count(options.encoder)) check_rotated(options);
  if (options.encoder == kStagedName) return fit_staged(source, options);
  const DecoderChoice choice = parse_decoder(options.decoder);
  if (choice.kind == DecoderChoice::Kind::affine && options.basis != "identity" && options.basis != kAnyBasis) {
    fail("the affine decoder works in the encoder's coordinates: use it with basis identity");
  }
  const std::string& name = source.description();
  const std::vector<std::string> bases = bases_for(options, source);
  Steps steps(options.progress, 1 + kStepsPerFit * (bases.size() > 1 ? bases.size() + 1 : 1));
  const BlasThreads blas(options.threads);
  Matrix<float> data = read_all(source, options.max_rows);
  steps.finished();

  BasisChoice basis = {bases.front(), {}};
  if (bases.size() > 1) {
    FitOptions compared = options;
    if (choice.kind == DecoderChoice::Kind::network) compared.decoder = "auto";  // trained in the basis chosen only
    basis = choose_basis(data, bases, options.threads, [&](const std::string& candidate, MatrixView<float> rows) {
      return fit_rows(rows, name, with_basis(compared, candidate), steps);
    });
  }
  Model model = fit_rows(data, name, with_basis(options, basis.basis), steps);
  model.item_shape = source.item_shape();
  model.metadata["fitted on"] = name;
  model.metadata["vectors used"] = std::to_string(data.rows());
  if (!basis.compared.empty()) model.metadata["bases compared"] = to_string(basis);
  return model;
}

Model model_for_prior(const PriorPtr& prior, std::size_t dim, const FitOptions& options) {
  if (options.encoder == kStagedName) fail("a staged code is trained on vectors: see fit and train");
  if (const std::optional<int> stages = rotated_stage_count(options.encoder)) {
    check_rotated(options);
    Model model;
    model.scale = options.scale;
    model.item_shape = {dim};
    model.metadata["prior"] = prior->name();
    model.staged = make_rotated(iid_prior(prior), dim, shape_for_rate(dim, options.rate).bits, *stages, options.seed);
    return model;
  }
  const DecoderChoice choice = parse_decoder(options.decoder);
  if (choice.kind == DecoderChoice::Kind::affine) fail("the affine decoder is fitted on data; a prior is not enough");
  const VectorPrior vector_prior = iid_prior(prior);
  Model model;
  model.scale = options.scale;
  model.item_shape = {dim};
  model.metadata["prior"] = prior->name();
  const bool any_basis = options.basis == kAnyBasis;
  model.encoder = choose_encoder(any_basis ? with_basis(options, "identity") : options, vector_prior, *prior, dim);
  NetworkParameters parameters =
      choice.kind == DecoderChoice::Kind::network
          ? fit_unrolled(*model.encoder, prior, options.scale != ScaleKind::none, training_of(options, choice.layers))
                .parameters
          : compile_decoder(choice, *model.encoder, vector_prior);
  model.network.emplace(model.encoder, make_basis("identity", dim), std::move(parameters));
  return model;
}

}  // namespace signfold
