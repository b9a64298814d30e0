#include "signfold/cli/model_report.h"

#include "signfold/cli/text.h"
#include "signfold/decoder/decoder.h"

namespace signfold::cli {
namespace {
/// What the stored risks of a staged code are.
std::string risk_title(const Model& model) { return model.staged->wants_unit_norm() ? "predicted" : "when trained"; }

std::vector<double> predicted_layers(const Model& model) {
  std::vector<double> risks;
  for (int t = 1; t <= model.network->layers(); ++t) risks.push_back(model.predicted_risk(t));
  return risks;
}

nlohmann::ordered_json risk_json(const LayerRisk& risk) {
  return {{"measured", risk.measured}, {"stderr", risk.stderr_}, {"predicted", risk.predicted}};
}

double rate_of(std::uint64_t vectors, double seconds) {
  constexpr double kClockTick = 1e-9;  // keeps the speed finite when there was nothing to time
  return static_cast<double>(vectors) / std::max(seconds, kClockTick);
}

std::string transform_text(const Transform& transform) {
  if (transform.identity()) return "none";
  std::string text = transform.mean.empty() ? "" : "centred";
  if (!transform.eigenvectors.empty()) {
    text += fmt::format("{}whitened (epsilon {:.3g})", text.empty() ? "" : ", ", transform.epsilon);
  }
  return text;
}

/// Metadata come from anywhere: no character of theirs may steer a terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text;
}

std::string shape_text(const Model& model) {
  std::string text = fmt::format("{}", model.dim());
  if (model.item_shape.size() > 1) text += fmt::format(" ({})", fmt::join(model.item_shape, " x "));
  return text;
}
}  // namespace

std::string layer_name(std::size_t layer, bool trained_network) {
  if (layer == 0) return "linear";
  if (trained_network) return "network";
  return fmt::format("layer {}{}", layer, layer == 1 ? " (denoiser)" : "");
}

nlohmann::ordered_json model_json(const Model& model) {
  nlohmann::ordered_json json = {{"dim", model.dim()},
                                 {"item_shape", model.item_shape},
                                 {"bits", model.bits()},
                                 {"rate", model.rate()},
                                 {"bits_per_vector", model.bits_per_vector()},
                                 {"scale", to_string(model.scale)},
                                 {"encoder", model.encoder_name()},
                                 {"seed", model.seed()},
                                 {"centred", !model.transform.mean.empty()},
                                 {"whitened", !model.transform.eigenvectors.empty()},
                                 {"unit", model.unit}};
  if (model.network) {
    json["decoder"] = decoder_form(model.network->parameters());
    json["basis"] = model.network->basis().name();
    json["linear"] = model.predicted_risk(0);
    json["layers"] = predicted_layers(model);
  }
  if (model.staged) {
    json["search_rounds"] = model.search_rounds;
    json["prefixes"] = nlohmann::ordered_json::array();
    for (std::size_t s = 1; s <= model.staged->count(); ++s) {
      json["prefixes"].push_back({{"stages", s},
                                  {"bits_per_vector", model.bits_per_prefix(s)},
                                  {"stage", model.staged->describe(s - 1)},
                                  {"predicted", model.predicted_risk(static_cast<int>(s))}});
    }
  }
  json["fingerprint"] = fmt::format("{:016x}", fingerprint(model));
  json["metadata"] = model.metadata;
  return json;
}

std::string model_text(const Model& model) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"dimension", shape_text(model)},
      {"code", fmt::format("{} bits ({:.4g} per dimension)", model.bits(), model.rate())},
      {"scale", to_string(model.scale)},
      {"stored per vector", bits_and_bytes(model.bits_per_vector())},
      {"encoder", model.staged ? fmt::format("{}, {} stages", model.encoder_name(), model.staged->count())
                               : fmt::format("{}, seed {}", model.encoder->name(), model.encoder->seed())},
      {"transform", transform_text(model.transform)},
      {"decoder", model.staged    ? "one for each stage"
                  : model.network ? decoder_form(model.network->parameters())
                                  : "none"}};
  if (model.search_rounds > 0) lines.emplace_back("search for bits", fmt::format("{} rounds", model.search_rounds));
  if (model.network) lines.emplace_back("decoder's basis", model.network->basis().name());
  lines.emplace_back("fingerprint", fmt::format("{:016x}", fingerprint(model)));
  for (const auto& [key, value] : model.metadata) lines.emplace_back(printable(key), printable(value));
  if (model.staged) {
    std::vector<Row> rows = {{"stages", "bits per vector", "last stage", risk_title(model)}};
    for (std::size_t s = 1; s <= model.staged->count(); ++s) {
      rows.push_back({fmt::format("{}", s), fmt::format("{}", model.bits_per_prefix(s)), model.staged->describe(s - 1),
                      number(model.predicted_risk(static_cast<int>(s)))});
    }
    return fmt::format("{}\n{}", facts(lines), table(rows));
  }
  if (!model.network) return facts(lines);

  const Network& network = *model.network;
  std::vector<Row> rows = {{"decoder", "predicted risk"}};
  for (int t = 0; t <= network.layers(); ++t) {
    rows.push_back(
        {layer_name(static_cast<std::size_t>(t), !network.parameters().mlp.empty()), number(model.predicted_risk(t))});
  }
  return fmt::format("{}\n{}", facts(lines), table(rows));
}

nlohmann::ordered_json evaluation_json(const Evaluation& evaluation) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (std::size_t t = 1; t < evaluation.layers.size(); ++t) {
    layers.push_back(risk_json(evaluation.layers[t]));
  }
  return {{"linear", risk_json(evaluation.layers.front())}, {"layers", layers}};
}

std::string evaluation_table(const Evaluation& evaluation, bool trained_network) {
  std::vector<Row> rows = {{"decoder", "predicted", "measured", "std. error", "difference"}};
  for (std::size_t t = 0; t < evaluation.layers.size(); ++t) {
    const LayerRisk& risk = evaluation.layers[t];
    const double difference = risk.predicted > 0 ? 100 * (risk.measured / risk.predicted - 1) : 0;
    rows.push_back({layer_name(t, trained_network), number(risk.predicted), number(risk.measured),
                    fmt::format("{:.1g}", risk.stderr_),
                    risk.predicted > 0 ? fmt::format("{:+.1f} %", difference) : ""});
  }
  return table(rows);
}

nlohmann::ordered_json prefixes_json(const Model& model, const std::vector<LayerRisk>& prefixes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::size_t s = 0; s < prefixes.size(); ++s) {
    nlohmann::ordered_json prefix = {{"stages", s + 1}, {"bits_per_vector", model.bits_per_prefix(s + 1)}};
    prefix.update(risk_json(prefixes[s]));
    list.push_back(std::move(prefix));
  }
  return list;
}

std::string prefixes_table(const Model& model, const std::vector<LayerRisk>& prefixes, bool with_expected) {
  std::vector<Row> rows = {{"stages", "bits per vector", "stored per dimension"}};
  if (with_expected) rows[0].push_back(risk_title(model));
  rows[0].insert(rows[0].end(), {"measured", "std. error"});
  for (std::size_t s = 0; s < prefixes.size(); ++s) {
    const std::size_t bits = model.bits_per_prefix(s + 1);
    Row row = {fmt::format("{}", s + 1), fmt::format("{}", bits),
               number(static_cast<double>(bits) / static_cast<double>(model.dim()))};
    if (with_expected) row.push_back(number(prefixes[s].predicted));
    row.insert(row.end(), {number(prefixes[s].measured), fmt::format("{:.1g}", prefixes[s].stderr_)});
    rows.push_back(std::move(row));
  }
  return table(rows);
}

nlohmann::ordered_json speeds_json(const Evaluation& evaluation) {
  return {{"encode", rate_of(evaluation.vectors, evaluation.encode_seconds)},
          {"decode", rate_of(evaluation.vectors, evaluation.decode_seconds)}};
}

std::string speeds_text(const Evaluation& evaluation) {
  return fmt::format("encode {} vectors/s, decode {} vectors/s\n",
                     speed(rate_of(evaluation.vectors, evaluation.encode_seconds)),
                     speed(rate_of(evaluation.vectors, evaluation.decode_seconds)));
}

}  // namespace signfold::cli
