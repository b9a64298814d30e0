#include "signfold/codec/train.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/hash.h"
#include "signfold/base/memory.h"
#include "signfold/base/random.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/given_encoder.h"
#include "signfold/codec/train_methods.h"
#include "signfold/decoder/decoder.h"
#include "signfold/encoder/dense.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/mixed_risk.h"

namespace signfold {
namespace {

Matrix<float> random_rows(EncoderShape shape, std::uint64_t seed) {
  Matrix<float> rows(shape.bits, shape.dim);
  for (std::size_t i = 0; i < shape.bits; ++i) {
    RandomStream stream(seed, Purpose::start, i);
    for (float& v : rows.row(i)) v = static_cast<float>(stream.normal());
  }
  return rows;
}

std::string start_name(const TrainRequest& request) {
  if (!request.start.empty()) return request.start;
  if (request.freeze_encoder) return "hadamard";
  return request.method == TrainMethod::population ? "random" : "haar";
}

/// All but the network.
Model model_with(const TrainRequest& request, const TrainSource& source, EncoderPtr encoder) {
  Model model = bare_model(source);
  model.encoder = std::move(encoder);
  model.metadata["training"] = fmt::format("{}, {} decoder{}", to_string(request.method), to_string(request.decoder),
                                           request.freeze_encoder ? ", encoder kept" : "");
  return model;
}

/// What was trained, without what theory adds: the linear decoder and the network.
NetworkParameters trained_parts(const NetworkParameters& parameters) {
  NetworkParameters copy;
  copy.linear_gain = parameters.linear_gain;
  copy.prior = parameters.prior;
  copy.affine = {parameters.affine.matrix.clone(), parameters.affine.offset};
  copy.unrolled = parameters.unrolled.clone();
  const MlpDecoder& mlp = parameters.mlp;
  copy.mlp = {mlp.linear.clone(), mlp.in.clone(), mlp.bias, mlp.out.clone(), mlp.offset};
  return copy;
}

void check(const TrainRequest& request) {
  const bool data = !request.data.empty() || request.vectors != nullptr;
  if ((request.prior != nullptr) == data) fail("training needs either a prior or a file of vectors");
  if (request.prior && request.dim == 0) fail("training on a prior needs the number of coordinates");
  if (request.prior && !request.test.empty())
    fail("a file of test vectors goes with a file of vectors, not with a prior");
  const bool population = request.method == TrainMethod::population;
  if (population && request.decoder != TrainedDecoder::tied && request.decoder != TrainedDecoder::untied) {
    fail("method population has the decoders tied and untied");
  }
  if (population && request.freeze_encoder) {
    fail("method population trains encoders: to keep one as it is, take straight-through");
  }
  if (several(request.ranks) && (population || request.decoder.kind == TrainedDecoder::layers)) {
    fail("{} is not shared by ranks: run it without mpirun",
         population ? "method population" : "the training of " + to_string(request.decoder));
  }
}

/// Before anything large is made.
void check_memory(const TrainRequest& request, EncoderShape shape) {
  const bool population = request.method == TrainMethod::population;
  const double bytes = population ? population_bytes(shape) : straight_through_bytes(request, shape);
  require_memory(bytes + sizeof(float) * kWatched * static_cast<double>(shape.dim),
                 fmt::format("training {} bits for {} coordinates", shape.bits, shape.dim),
                 "take a lower rate, fewer coordinates or a smaller batch");
}

}  // namespace

TrainMethod parse_train_method(const std::string& text) {
  if (text == "straight-through") return TrainMethod::straight_through;
  if (text == "population") return TrainMethod::population;
  fail("unknown method '{}'; there are: straight-through, population", text);
}

std::string to_string(TrainMethod method) {
  return method == TrainMethod::population ? "population" : "straight-through";
}

Model bare_model(const TrainSource& source) {
  Model model;
  model.transform.mean = source.transform.mean;
  model.unit = source.unit;
  model.scale = ScaleKind::none;
  model.item_shape = source.item_shape;
  model.metadata["trained on"] = source.name;
  return model;
}

EncoderPtr start_encoder(const TrainRequest& request, EncoderShape shape) {
  const std::string name = start_name(request);
  if (name == "random") return make_dense(random_rows(shape, request.seed), name, request.seed);
  if (!name.starts_with(kDensePrefix)) return make_encoder(name, shape, request.seed);
  EncoderPtr encoder = read_encoder_file(name.substr(kDensePrefix.size()), shape.dim);
  if (encoder->bits() == shape.bits) return encoder;
  fail("{} has {} bits, a rate of {} has {}: take rate {}", name, encoder->bits(), request.rate, shape.bits,
       encoder->shape().rate());
}

Matrix<float> start_rows(const TrainRequest& request, EncoderShape shape) {
  if (start_name(request) == "random") return random_rows(shape, request.seed);
  return explicit_matrix(*start_encoder(request, shape));
}

/// The name, or the contents of a file.
std::string start_identity(const TrainRequest& request, EncoderShape shape) {
  std::string name = start_name(request);
  if (!name.starts_with(kDensePrefix)) return name;
  const Matrix<float> rows = start_rows(request, shape);
  return fmt::format("{}{:016x}", kDensePrefix, hash64(std::as_bytes(rows.values())));
}

nlohmann::json common_settings(const TrainRequest& request, const TrainSource& source, EncoderShape shape) {
  return {
      {"method", to_string(request.method)},     {"vectors", source.identity}, {"dim", shape.dim}, {"bits", shape.bits},
      {"start", start_identity(request, shape)}, {"seed", request.seed}};
}

bool belongs_in_history(std::size_t step, std::size_t steps) {
  constexpr std::size_t kPoints = 50;
  return step % std::max<std::size_t>(1, steps / kPoints) == 0 || step == steps;
}

TrainReport common_report(const TrainRequest& request, MatrixView<const float> encoder, double rate) {
  TrainReport report;
  report.shape = describe_encoder(encoder);
  if (request.prior) {
    const MixedOptimum best = optimal_mix(*request.prior, rate);
    report.rotation = linear_risk_limit(rate);
    report.identity = mixed_risk(*request.prior, 1, rate);
    report.mixed = best.risk;
    report.mixed_m = best.m;
  }
  return report;
}

/// A tied decoder: linear, and for a known prior the layers that follow it.
NetworkParameters tied_parameters(const TrainRequest& request, const Encoder& encoder, double gain) {
  const VectorPrior prior = iid_prior(request.prior ? request.prior : parse_prior("gaussian"));
  DecoderChoice choice;
  if (!request.prior) choice.kind = DecoderChoice::Kind::linear;
  NetworkParameters parameters = compile_decoder(choice, encoder, prior);
  parameters.linear_gain = gain;
  return parameters;
}

NetworkParameters affine_parameters(const Encoder& encoder, AffineDecoder decoder) {
  DecoderChoice choice;
  choice.kind = DecoderChoice::Kind::linear;
  NetworkParameters parameters = compile_decoder(choice, encoder, iid_prior(parse_prior("gaussian")));
  parameters.affine = std::move(decoder);
  return parameters;
}

void measure(const TrainRequest& request, TrainSource& source, TrainOutcome& outcome) {
  Model model = model_with(request, source, outcome.encoder);
  model.network.emplace(outcome.encoder, make_basis("identity", source.dim), trained_parts(outcome.parameters));
  const std::vector<LayerRisk> layers = evaluate(model, *source.held_out, {request.threads, {}}).layers;
  outcome.parameters.linear_risk = layers.front().measured;
  outcome.parameters.mlp.risk = layers.back().measured;
  for (std::size_t t = 0; t < outcome.parameters.unrolled.layers.size(); ++t) {
    outcome.parameters.unrolled.layers[t].risk = layers[t + 1].measured;
  }
  outcome.report.risk = layers.back().measured;
  outcome.report.stderr_ = layers.back().stderr_;
}

Trained train(const TrainRequest& request) {
  check(request);
  const auto start = std::chrono::steady_clock::now();
  const bool staged = !request.stages.empty();
  if (request.prior && !staged) check_memory(request, shape_for_rate(request.dim, request.rate));
  Team team(request.threads);
  const std::unique_ptr<TrainSource> source = open_train_source(request, team);
  const auto seconds = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if (staged) {
    Trained trained = train_staged(request, team, *source);
    trained.report.seconds = seconds();
    return trained;
  }
  const EncoderShape shape = shape_for_rate(source->dim, request.rate);
  TrainOutcome outcome = request.method == TrainMethod::population ? train_population(request, *source, shape)
                         : request.decoder.kind == TrainedDecoder::layers
                             ? train_unrolled(request, team, *source, shape)
                             : train_straight_through(request, team, *source, shape);
  outcome.report.seconds = seconds();
  Trained trained{model_with(request, *source, outcome.encoder), std::move(outcome.report)};
  trained.model.network.emplace(outcome.encoder, make_basis("identity", shape.dim), std::move(outcome.parameters));
  return trained;
}

}  // namespace signfold
