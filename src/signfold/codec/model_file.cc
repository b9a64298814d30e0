// The `.sfm` format, docs/formats.md section 1: a JSON section for names and scalars, one binary section per array.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/hash.h"
#include "signfold/base/json.h"
#include "signfold/codec/bytes.h"
#include "signfold/codec/container.h"
#include "signfold/codec/encode_side.h"
#include "signfold/codec/magic.h"
#include "signfold/codec/model.h"
#include "signfold/codec/stage_bytes.h"
#include "signfold/codec/stored_encoder.h"

namespace signfold {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 36;
constexpr std::size_t kLargestJson = std::size_t{1} << 24;
constexpr std::uint64_t kLargestSide = std::uint64_t{1} << 28;     // of dim and bits
constexpr std::uint64_t kLargestProduct = std::uint64_t{1} << 30;  // dim · bits of a haar matrix made again

// Tags of the binary sections.
constexpr const char* kMean = "MEAN";
constexpr const char* kEigenvectors = "EIGVEC";
constexpr const char* kEigenvalues = "EIGVAL";
constexpr const char* kTrainingMean = "REFMEAN";
constexpr const char* kEncoderMatrix = "DENSE";
constexpr const char* kBasis = "BASIS";
constexpr const char* kOffset = "OFFSET";
constexpr const char* kScale = "SCALE";
constexpr const char* kShapeOf = "SHAPEOF";
constexpr const char* kAffine = "AFFINE";
constexpr const char* kAffineOffset = "AFFOFF";
constexpr const char* kMemory = "MEMORY";
constexpr const char* kLayerMatrix = "LAYERMAT";
constexpr const char* kMlpLinear = "MLPLIN";
constexpr const char* kMlpIn = "MLPIN";
constexpr const char* kMlpBias = "MLPBIAS";
constexpr const char* kMlpOut = "MLPOUT";
constexpr const char* kMlpOffset = "MLPOFF";

// ---- writing ----

void check_number(double value, const char* what) {
  if (!std::isfinite(value)) fail("cannot save a model: its {} is not a finite number", what);
}

json to_json(const LayerScalars& layer) {
  return {{"variance", layer.variance}, {"information", layer.information}, {"precision", layer.precision},
          {"memory", layer.memory},     {"onsager", layer.onsager},         {"risk", layer.risk},
          {"damping", layer.damping}};
}

json to_json(const Spline& spline) { return {{"low", spline.low}, {"step", spline.step}, {"weights", spline.weights}}; }

json to_json(const UnrolledLayer& layer) {
  json out = {{"product", layer.product},
              {"onsager", layer.onsager},
              {"output_memory", layer.output_memory},
              {"width", layer.width},
              {"height", layer.height},
              {"adjoint", layer.adjoint},
              {"estimate", layer.estimate},
              {"input_memory", layer.input_memory},
              {"precision", layer.precision},
              {"risk", layer.risk}};
  if (!layer.score_spline.empty()) out["score_spline"] = to_json(layer.score_spline);
  if (!layer.mean_spline.empty()) out["mean_spline"] = to_json(layer.mean_spline);
  return out;
}

json decoder_to_json(const Network& network) {
  const NetworkParameters& p = network.parameters();
  json layers = json::array();
  for (const LayerScalars& layer : p.schedule.layers) layers.push_back(to_json(layer));
  json shapes = json::array();
  for (const PriorPtr& shape : p.prior.shapes) shapes.push_back(shape->to_json());
  json out = {{"basis", network.basis().name()}, {"linear_gain", p.linear_gain},
              {"linear_risk", p.linear_risk},    {"clip", p.clip},
              {"rate", p.schedule.rate},         {"layers", std::move(layers)},
              {"shapes", std::move(shapes)}};
  if (!p.mlp.empty()) out["mlp_risk"] = p.mlp.risk;
  for (const UnrolledLayer& layer : p.unrolled.layers) out["trained_layers"].push_back(to_json(layer));
  return out;
}

/// After each stage.
json stage_risks(const StagedCode& code) {
  json risks = json::array();
  for (std::size_t s = 1; s <= code.count(); ++s) {
    check_number(code.risk(s), "risk of a stage");
    risks.push_back(code.risk(s));
  }
  return risks;
}

json description(const Model& model) {
  check_number(model.unit, "unit");
  check_number(model.energy_ratio, "energy ratio");
  check_number(model.transform.epsilon, "epsilon");
  json out = {{"dim", model.dim()},
              {"bits", model.bits()},
              {"unit", model.unit},
              {"scale", to_string(model.scale)},
              {"energy_ratio", model.energy_ratio},
              {"epsilon", model.transform.epsilon},
              {"encoder", {{"name", model.encoder_name()}, {"seed", model.seed()}}},
              {"item_shape", model.item_shape},
              {"metadata", model.metadata},
              {"decoder", model.network ? decoder_to_json(*model.network) : json(nullptr)}};
  if (model.staged) out["stage_risks"] = stage_risks(*model.staged);
  check_search(model, model.search_rounds);
  if (model.search_rounds > 0) out["search_rounds"] = model.search_rounds;
  return out;
}

/// The numbers of section MEMORY, layer by layer.
std::vector<double> flatten(const MemorySchedule& memory) {
  std::vector<double> numbers;
  for (const MemoryLayer& layer : memory.layers) {
    numbers.insert(numbers.end(), {layer.variance, layer.information, layer.precision, layer.risk});
    for (const auto* weights : {&layer.outputs, &layer.correction, &layer.inputs, &layer.onsager}) {
      numbers.insert(numbers.end(), weights->begin(), weights->end());
    }
  }
  return numbers;
}

template <class T>
void add_array(ContainerWriter& out, const char* tag, std::span<const T> values) {
  if (!values.empty()) out.add(tag, std::as_bytes(values));
}
void add_matrix(ContainerWriter& out, const char* tag, MatrixView<const float> m) {
  add_array(out, tag, std::span(m.data, m.rows * m.cols));
}

// ---- reading ----

/// The sections of a file, handed out one by one; what nobody asked for must be skippable.
class Sections {
 public:
  Sections(Container container) : sections_(std::move(container.sections)) {}  // NOLINT: implicit on purpose

  bool has(const char* tag) const { return sections_.contains(tag); }
  std::uint64_t bytes(const char* tag) const { return has(tag) ? sections_.at(tag).size() : 0; }

  /// The payload of a section that stays; empty when it is absent.
  std::span<const std::byte> payload(const char* tag) const {
    return has(tag) ? sections_.at(tag) : std::span<const std::byte>{};
  }

  std::span<const std::byte> take(const char* tag) {
    const auto node = sections_.extract(tag);
    return node ? node.mapped() : std::span<const std::byte>{};
  }

  /// The array of a section: `size` finite numbers, or none when the section is absent.
  template <class T>
  std::vector<T> array(const char* tag, std::uint64_t size) {
    if (!has(tag)) return {};
    const std::span<const std::byte> bytes = take(tag);
    if (bytes.size() / sizeof(T) != size || bytes.size() % sizeof(T) != 0) {
      fail("section {} has {} bytes, not {} numbers of {} bytes", tag, bytes.size(), size, sizeof(T));
    }
    std::vector<T> values(size);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    if (!std::ranges::all_of(values, [](T v) { return std::isfinite(static_cast<double>(v)); })) {
      fail("section {} holds a number that is not finite", tag);
    }
    return values;
  }

  Matrix<float> matrix(const char* tag, std::uint64_t rows, std::uint64_t cols) {
    const std::vector<float> values = array<float>(tag, rows * cols);
    if (values.empty()) return {};
    Matrix<float> out(rows, cols);
    std::ranges::copy(values, out.data());
    return out;
  }

  void check_nothing_left() const {
    for (const auto& [tag, payload] : sections_) {
      if (tag.empty() || std::islower(static_cast<unsigned char>(tag[0])) == 0) {
        fail("unknown section '{}': a newer program wrote it", tag);
      }
    }
  }

 private:
  std::map<std::string, std::span<const std::byte>> sections_;
};

json description_from(std::span<const std::byte> bytes) {
  if (bytes.empty()) fail("section JSON is missing");
  if (bytes.size() > kLargestJson)
    fail("section JSON has {} bytes; at most {} are allowed", bytes.size(), kLargestJson);
  return parse_json(text_of(bytes), "section JSON");
}

double finite(const json& object, const char* key) {
  const json& value = object.at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) fail("'{}' is not a finite number", key);
  return value.get<double>();
}

double not_negative(const json& object, const char* key) {
  const double value = finite(object, key);
  if (value < 0) fail("'{}' is negative", key);
  return value;
}

std::uint64_t whole(const json& object, const char* key) {
  const json& value = object.at(key);
  if (!value.is_number_unsigned()) fail("'{}' is not a whole number", key);
  return value.get<std::uint64_t>();
}

LayerScalars layer_from_json(const json& object) {
  LayerScalars layer;
  layer.variance = finite(object, "variance");
  layer.information = finite(object, "information");
  layer.precision = finite(object, "precision");
  layer.memory = finite(object, "memory");
  layer.onsager = finite(object, "onsager");
  layer.risk = not_negative(object, "risk");
  layer.damping = finite(object, "damping");
  return layer;
}

/// At most this many weights: what any number of layers can use, and little memory.
constexpr std::size_t kMostKnots = 4096;

Spline spline_from_json(const json& object, const char* key) {
  Spline spline;
  if (!object.contains(key)) return spline;
  const json& from = object.at(key);
  spline.low = finite(from, "low");
  spline.step = finite(from, "step");
  if (from.at("weights").size() > kMostKnots) fail("'{}' has more than {} weights", key, kMostKnots);
  spline.weights = from.at("weights").get<std::vector<double>>();
  return spline;
}

UnrolledLayer trained_layer_from_json(const json& object) {
  UnrolledLayer layer;
  layer.product = finite(object, "product");
  layer.onsager = finite(object, "onsager");
  layer.output_memory = finite(object, "output_memory");
  layer.width = finite(object, "width");
  layer.height = finite(object, "height");
  layer.adjoint = finite(object, "adjoint");
  layer.estimate = finite(object, "estimate");
  layer.input_memory = finite(object, "input_memory");
  layer.precision = finite(object, "precision");
  layer.risk = not_negative(object, "risk");
  layer.score_spline = spline_from_json(object, "score_spline");
  layer.mean_spline = spline_from_json(object, "mean_spline");
  return layer;
}

EncoderPtr read_encoder(const json& object, EncoderShape shape, Sections& sections) {
  const auto name = object.at("name").get<std::string>();
  const std::uint64_t seed = whole(object, "seed");
  if (sections.has(kEncoderMatrix)) {
    return make_dense(sections.matrix(kEncoderMatrix, shape.bits, shape.dim), name, seed);
  }
  if (name == "haar" && shape.dim * shape.bits > kLargestProduct) {
    fail("a haar encoder of {} x {} is larger than {} numbers", shape.bits, shape.dim, kLargestProduct);
  }
  return make_encoder(name, shape, seed);
}

BasisPtr read_basis(const std::string& name, std::size_t dim, Sections& sections) {
  if (!sections.has(kBasis)) return make_basis(name, dim);
  return make_matrix_basis(name, sections.matrix(kBasis, dim, dim));
}

VectorPrior read_prior(const json& decoder, std::size_t dim, Sections& sections) {
  VectorPrior prior;
  for (const json& shape : decoder.at("shapes")) prior.shapes.push_back(prior_from_json(shape));
  prior.offset = sections.array<float>(kOffset, dim);
  prior.scale = sections.array<float>(kScale, dim);
  prior.shape_of = sections.array<std::uint16_t>(kShapeOf, dim);
  check_vector_prior(prior, dim);
  return prior;
}

MlpDecoder read_mlp(const json& decoder, const Encoder& encoder, Sections& sections) {
  const std::size_t hidden = sections.bytes(kMlpBias) / sizeof(float);
  MlpDecoder mlp;
  mlp.linear = sections.matrix(kMlpLinear, encoder.bits(), encoder.dim());
  mlp.in = sections.matrix(kMlpIn, encoder.bits(), hidden);
  mlp.bias = sections.array<float>(kMlpBias, hidden);
  mlp.out = sections.matrix(kMlpOut, hidden, encoder.dim());
  mlp.offset = sections.array<float>(kMlpOffset, encoder.dim());
  mlp.risk = not_negative(decoder, "mlp_risk");
  if (mlp.empty()) fail("section {} is missing", kMlpIn);
  return mlp;
}

/// The inverse of flatten(): T layers are 2T² + 4T numbers.
MemorySchedule read_memory(Sections& sections) {
  if (!sections.has(kMemory)) return {};
  std::size_t count = 0;
  while (count < kMostMemoryLayers && (2 * count + 4) * count * sizeof(double) < sections.bytes(kMemory)) ++count;
  const std::vector<double> numbers = sections.array<double>(kMemory, (2 * count + 4) * count);
  auto next = numbers.begin();
  const auto take = [&](std::size_t n) {
    const auto begin = next;
    next += static_cast<std::ptrdiff_t>(n);
    return std::vector<double>(begin, next);
  };
  MemorySchedule memory;
  for (std::size_t t = 0; t < count; ++t) {
    const std::vector<double> scalars = take(4);
    if (scalars[3] < 0) fail("section {}: the risk of layer {} is negative", kMemory, t + 1);
    memory.layers.push_back({.variance = scalars[0],
                             .information = scalars[1],
                             .precision = scalars[2],
                             .risk = scalars[3],
                             .outputs = take(t),
                             .correction = take(t),
                             .inputs = take(t + 1),
                             .onsager = take(t + 1)});
  }
  return memory;
}

Network read_network(const json& decoder, const EncoderPtr& encoder, Sections& sections) {
  const std::size_t dim = encoder->dim();
  NetworkParameters p;
  p.linear_gain = finite(decoder, "linear_gain");
  p.linear_risk = not_negative(decoder, "linear_risk");
  p.clip = finite(decoder, "clip");
  p.schedule.rate = not_negative(decoder, "rate");
  for (const json& layer : decoder.at("layers")) p.schedule.layers.push_back(layer_from_json(layer));
  p.memory = read_memory(sections);
  if (decoder.contains("trained_layers")) {
    for (const json& layer : decoder.at("trained_layers")) p.unrolled.layers.push_back(trained_layer_from_json(layer));
  }
  p.unrolled.matrix = sections.matrix(kLayerMatrix, encoder->bits(), dim);
  p.prior = read_prior(decoder, dim, sections);
  p.affine.matrix = sections.matrix(kAffine, encoder->bits(), dim);
  p.affine.offset = sections.array<float>(kAffineOffset, dim);
  if (sections.has(kMlpBias)) p.mlp = read_mlp(decoder, *encoder, sections);
  BasisPtr basis = read_basis(decoder.at("basis").get<std::string>(), dim, sections);
  return {encoder, std::move(basis), std::move(p)};
}

Transform read_transform(const json& description, std::size_t dim, Sections& sections) {
  Transform t;
  t.mean = sections.array<float>(kMean, dim);
  t.eigenvectors = sections.matrix(kEigenvectors, dim, dim);
  t.eigenvalues = sections.array<float>(kEigenvalues, dim);
  t.epsilon = finite(description, "epsilon");
  if (t.eigenvectors.empty() != t.eigenvalues.empty())
    fail("of {} and {} only one is there", kEigenvectors, kEigenvalues);
  for (const float value : t.eigenvalues) {
    if (!(value + t.epsilon > 0)) fail("section {}: an eigenvalue plus epsilon is not positive", kEigenvalues);
  }
  return t;
}

/// Throws Error unless the description and the sections have the fingerprint of the header. Comes before anything is
/// built: sizes and names that damage has changed are never believed.
void check_fingerprint(const json& root, const Sections& sections, std::uint64_t stored) {
  const auto name = root.at("encoder").at("name").get<std::string>();
  std::vector<std::uint64_t> stages;
  if (sections.has(kRotatedTag)) stages.push_back(hash64(sections.payload(kRotatedTag)));
  for (std::size_t s = 0; s < kMostStages && sections.has(stage_tag(s).c_str()); ++s) {
    stages.push_back(hash64(sections.payload(stage_tag(s).c_str())));
  }
  const EncodeSide side{.dim = whole(root, "dim"),
                        .bits = whole(root, "bits"),
                        .scale = parse_scale(root.at("scale").get<std::string>()),
                        .unit = finite(root, "unit"),
                        .seed = whole(root.at("encoder"), "seed"),
                        .encoder = name,
                        .matrix = stages.empty() ? sections.payload(kEncoderMatrix) : std::as_bytes(std::span(stages)),
                        .mean = sections.payload(kMean),
                        .eigenvectors = sections.payload(kEigenvectors),
                        .eigenvalues = sections.payload(kEigenvalues),
                        .epsilon = finite(root, "epsilon")};
  if (fingerprint(side) != stored) fail("its encode side does not have the fingerprint {:016x}", stored);
}

StagedPtr read_stages(const json& risks, EncoderShape shape, Sections& sections) {
  if (risks.empty() || risks.size() > kMostStages) fail("a staged code of {} stages", risks.size());
  if (sections.has(kRotatedTag)) {
    StagedPtr code = std::make_shared<RotatedStages>(rotated_from_bytes(sections.take(kRotatedTag), shape.dim));
    if (code->bits() != shape.bits || code->count() != risks.size())
      fail("its stages have {} bits, not {}", code->bits(), shape.bits);
    return code;
  }
  std::vector<Stage> stages;
  std::size_t before = 0;
  for (std::size_t s = 0; s < risks.size(); ++s) {
    stages.push_back(stage_from_bytes(sections.take(stage_tag(s).c_str()), before, shape.dim));
    if (!risks[s].is_number() || !(risks[s].get<double>() >= 0)) fail("the risk of stage {} is not one", s + 1);
    stages.back().risk = risks[s].get<double>();
    before += stages.back().bits();
  }
  if (before != shape.bits) fail("its stages have {} bits, not {}", before, shape.bits);
  return std::make_shared<TrainedStages>(std::move(stages));
}

/// Of the search that encoding takes; no key means none.
std::size_t read_rounds(const json& root, const Model& model) {
  if (!root.contains("search_rounds")) return 0;
  const std::size_t rounds = whole(root, "search_rounds");
  check_search(model, rounds);
  return rounds;
}

Model read_model(Sections sections, std::uint64_t stored) {
  const json root = description_from(sections.take("JSON"));
  const EncoderShape shape{whole(root, "dim"), whole(root, "bits")};
  if (shape.dim == 0 || shape.bits == 0 || shape.dim > kLargestSide || shape.bits > kLargestSide) {
    fail("dimension {} or bits {} is not between 1 and {}", shape.dim, shape.bits, kLargestSide);
  }
  check_fingerprint(root, sections, stored);
  Model model;
  const bool staged = root.contains("stage_risks");
  if (staged) {
    model.staged = read_stages(root.at("stage_risks"), shape, sections);
  } else {
    model.encoder = read_encoder(root.at("encoder"), shape, sections);
  }
  model.transform = read_transform(root, shape.dim, sections);
  model.unit = finite(root, "unit");
  if (model.unit <= 0) fail("'unit' is not positive");
  model.scale = parse_scale(root.at("scale").get<std::string>());
  model.training_mean = sections.array<float>(kTrainingMean, shape.dim);
  model.energy_ratio = not_negative(root, "energy_ratio");
  model.item_shape = root.at("item_shape").get<std::vector<std::size_t>>();
  model.metadata = root.at("metadata").get<std::map<std::string, std::string>>();
  if (staged && !model.staged->wants_unit_norm() && model.scale != ScaleKind::none) {
    fail("a trained staged code stores no scale");
  }
  const json& decoder = root.at("decoder");
  if (staged && !decoder.is_null()) fail("a staged code has no other decoder");
  if (!decoder.is_null()) model.network.emplace(read_network(decoder, model.encoder, sections));
  model.search_rounds = read_rounds(root, model);
  sections.check_nothing_left();
  return model;
}

}  // namespace

std::vector<std::byte> model_to_bytes(const Model& model) {
  ContainerWriter out;
  // Metadata come from outside: what is not UTF-8 in them is replaced.
  const std::string text = description(model).dump(-1, ' ', false, json::error_handler_t::replace);
  out.add("JSON", bytes_of(text));
  if (model.staged) {
    for (const StagedSection& section : staged_sections(*model.staged)) out.add(section.tag, section.payload);
  } else {
    add_array(out, kEncoderMatrix, stored_matrix(*model.encoder));
  }
  add_array(out, kMean, std::span(model.transform.mean));
  add_matrix(out, kEigenvectors, model.transform.eigenvectors);
  add_array(out, kEigenvalues, std::span(model.transform.eigenvalues));
  add_array(out, kTrainingMean, std::span(model.training_mean));
  if (model.network) {
    const NetworkParameters& p = model.network->parameters();
    add_matrix(out, kBasis, model.network->basis().matrix());
    add_array(out, kOffset, std::span(p.prior.offset));
    add_array(out, kScale, std::span(p.prior.scale));
    add_array(out, kShapeOf, std::span(p.prior.shape_of));
    add_matrix(out, kAffine, p.affine.matrix);
    add_array(out, kAffineOffset, std::span(p.affine.offset));
    add_array(out, kMemory, std::span<const double>(flatten(p.memory)));
    add_matrix(out, kLayerMatrix, p.unrolled.matrix);
    add_matrix(out, kMlpLinear, p.mlp.linear);
    add_matrix(out, kMlpIn, p.mlp.in);
    add_array(out, kMlpBias, std::span(p.mlp.bias));
    add_matrix(out, kMlpOut, p.mlp.out);
    add_array(out, kMlpOffset, std::span(p.mlp.offset));
  }
  return std::move(out).finish(fingerprint(model));
}

Model model_from_bytes(std::span<const std::byte> bytes, const std::string& name) {
  Container container = read_container(bytes, name);
  const std::uint64_t stored = container.fingerprint;
  try {
    Model model = read_model(std::move(container), stored);
    if (fingerprint(model) != stored) fail("its encode side does not have the fingerprint {:016x}", stored);
    return model;
  } catch (const json::exception& e) {
    fail("{} is damaged: {}", name, e.what());
  } catch (const Error& e) {
    fail("{} is damaged: {}", name, e.what());
  }
}

void save_model(const Model& model, const std::string& path) { write_file(path, model_to_bytes(model)); }

Model load_model(const std::string& path) {
  // Before all of it is read: a file of vectors in the place of a model may be larger than memory.
  if (file_kind(path) != FileKind::model) {
    std::array<std::byte, 16> start{};
    InputFile file(path);
    fail("{} is not a Signfold model: it is {}", path, describe_start(std::span(start).first(file.read(start))));
  }
  return model_from_bytes(read_file(path, kLargestFile), path);
}

}  // namespace signfold
