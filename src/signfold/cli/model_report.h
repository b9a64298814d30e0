// What models and evaluations look like on the screen and in JSON; shared by the commands that show them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "signfold/codec/codec.h"
#include "signfold/codec/model.h"

namespace signfold::cli {

/// "linear", "layer 1 (denoiser)", "layer 2", …; layer 1 of a trained network is "network".
std::string layer_name(std::size_t layer, bool trained_network = false);

/// Everything a model holds that can be said in a line.
nlohmann::ordered_json model_json(const Model& model);
std::string model_text(const Model& model);

/// {"linear": {"measured", "stderr", "predicted"}, "layers": [the same per layer]}.
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);
/// One row per layer: predicted, measured, standard error, difference.
std::string evaluation_table(const Evaluation& evaluation, bool trained_network = false);

/// {"encode", "decode"} in vectors per second.
nlohmann::ordered_json speeds_json(const Evaluation& evaluation);
/// Of a staged code: what its prefixes measured.
nlohmann::ordered_json prefixes_json(const Model& model, const std::vector<LayerRisk>& prefixes);
/// `with_expected`: what the model says of itself beside what was measured now.
std::string prefixes_table(const Model& model, const std::vector<LayerRisk>& prefixes, bool with_expected);
std::string speeds_text(const Evaluation& evaluation);

}  // namespace signfold::cli
