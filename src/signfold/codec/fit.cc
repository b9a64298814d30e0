#include "signfold/codec/fit.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/linalg.h"
#include "signfold/base/parallel.h"
#include "signfold/codec/learn_profile.h"
#include "signfold/codec/magic.h"
#include "signfold/codec/measured_depth.h"
#include "signfold/codec/measured_gain.h"
#include "signfold/decoder/decoder.h"
#include "signfold/decoder/fit_affine.h"
#include "signfold/encoder/dense.h"

namespace signfold {
namespace {

constexpr std::size_t kGrain = 256;  // rows that a thread takes at a time
constexpr double kMeanShare = 0.01;  // Centering::automatic
constexpr double kRounding = 1e-14;  // the relative energy that rounding a mean to float32 leaves, with room to spare
constexpr std::string_view kDense = "dense:";

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

/// The encoder of a model file, or the rows of a matrix in any other.
EncoderPtr dense_encoder(const std::string& path, std::size_t dim) {
  if (std::filesystem::exists(path) && file_kind(path) == FileKind::model) {
    EncoderPtr encoder = load_model(path).encoder;
    if (encoder->dim() != dim) {
      fail("the encoder of {} is for {} coordinates, the vectors have {}", path, encoder->dim(), dim);
    }
    return encoder;
  }
  const auto source = open_source(path);
  if (source->dim() != dim) {
    fail("{} has rows of {} coordinates, the vectors have {}", source->description(), source->dim(), dim);
  }
  return make_dense(read_all(*source));
}

/// Could the encoder that was asked for be aligned with the coordinates?
bool may_be_aligned(const std::string& encoder) {
  return encoder == "auto" || encoder == "identity" || encoder.starts_with("mixed");
}

EncoderPtr choose_encoder(const FitOptions& options, const VectorPrior& prior, const Prior& pooled, std::size_t dim) {
  if (options.encoder.starts_with(kDense)) return dense_encoder(options.encoder.substr(kDense.size()), dim);
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

/// The decoder; its depth is measured where the user left it open.
Network fit_network(const FitOptions& options, const EncoderPtr& encoder, const BasisPtr& basis,
                    const VectorPrior& prior, const Training& training) {
  using Kind = DecoderChoice::Kind;
  const DecoderChoice choice = parse_decoder(options.decoder);
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

}  // namespace

Model fit(Source& source, const FitOptions& options) {
  const DecoderChoice choice = parse_decoder(options.decoder);
  if (choice.kind == DecoderChoice::Kind::affine && options.basis != "identity") {
    fail("the affine decoder works in the encoder's coordinates: use it with basis identity");
  }
  const auto finished = [&](std::size_t steps) {
    throw_if_interrupted();
    if (options.progress) options.progress(steps, 4);
  };
  const BlasThreads blas(options.threads);
  Matrix<float> data = read_all(source, options.max_rows);
  finished(1);
  Model model;
  model.scale = options.scale;
  model.item_shape = source.item_shape();
  model.metadata["fitted on"] = source.description();
  model.metadata["vectors used"] = std::to_string(data.rows());

  fit_transform(options, source.description(), data, model);
  const BasisPtr basis = fit_basis(options.basis, data);
  const Training training = normalize_rows(data, options.scale, model.unit);
  rotate_all(*basis, training.rows, options.threads);
  finished(2);
  const auto [encoder, prior] = fit_encoder(options, training);
  finished(3);
  model.encoder = encoder;
  model.network.emplace(fit_network(options, model.encoder, basis, prior, training));
  finished(4);
  return model;
}

Model model_for_prior(const PriorPtr& prior, std::size_t dim, const FitOptions& options) {
  const DecoderChoice choice = parse_decoder(options.decoder);
  if (choice.kind == DecoderChoice::Kind::affine) fail("the affine decoder is fitted on data; a prior is not enough");
  const VectorPrior vector_prior = iid_prior(prior);
  Model model;
  model.scale = options.scale;
  model.item_shape = {dim};
  model.metadata["prior"] = prior->name();
  model.encoder = choose_encoder(options, vector_prior, *prior, dim);
  model.network.emplace(model.encoder, make_basis("identity", dim),
                        compile_decoder(choice, *model.encoder, vector_prior));
  return model;
}

}  // namespace signfold
