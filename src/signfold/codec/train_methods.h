// What the two methods of training share, and their entry points.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "signfold/base/team.h"
#include "signfold/codec/train.h"
#include "signfold/codec/train_source.h"

namespace signfold {

/// What a method comes to.
struct TrainOutcome {
  EncoderPtr encoder;
  NetworkParameters parameters;
  TrainReport report;  ///< all but the seconds
};
TrainOutcome train_straight_through(const TrainRequest& request, Team& team, TrainSource& source, EncoderShape shape);
TrainOutcome train_unrolled(const TrainRequest& request, Team& team, TrainSource& source, EncoderShape shape);
TrainOutcome train_population(const TrainRequest& request, TrainSource& source, EncoderShape shape);
/// Bytes that they hold at once, the vectors not counted.
double straight_through_bytes(const TrainRequest& request, EncoderShape shape);
double population_bytes(EncoderShape shape);

/// The whole of it, but the seconds of the report.
Trained train_staged(const TrainRequest& request, Team& team, TrainSource& source);
/// All but encoder and decoder.
Model bare_model(const TrainSource& source);

/// What the request starts from. Throws Error when it is of another shape.
EncoderPtr start_encoder(const TrainRequest& request, EncoderShape shape);
/// The rows training starts from, n × d, of any norm.
Matrix<float> start_rows(const TrainRequest& request, EncoderShape shape);
/// The settings that a checkpoint must agree on, whatever the method.
nlohmann::json common_settings(const TrainRequest& request, const TrainSource& source, EncoderShape shape);
/// Is this step one of the fifty or so of the history?
bool belongs_in_history(std::size_t step, std::size_t steps);

TrainReport common_report(const TrainRequest& request, MatrixView<const float> encoder, double rate);
/// A tied decoder: linear, and for a known prior the layers that follow it.
NetworkParameters tied_parameters(const TrainRequest& request, const Encoder& encoder, double gain);
NetworkParameters affine_parameters(const Encoder& encoder, AffineDecoder decoder);
/// Notes the risks of what was trained on the held-out vectors: they become the predictions of the model.
void measure(const TrainRequest& request, TrainSource& source, TrainOutcome& outcome);

}  // namespace signfold
