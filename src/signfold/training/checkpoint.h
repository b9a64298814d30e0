// A training run on disk: what run it is, how far it has come, and every number it needs to go on to the same bytes.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "signfold/training/population_descent.h"
#include "signfold/training/staged_trainer.h"
#include "signfold/training/trainer.h"
#include "signfold/training/unrolled_trainer.h"

namespace signfold {

/// Settings and progress as JSON, arrays as they lie in memory, by name. Layout: docs/formats.md section 5.
struct Checkpoint {
  nlohmann::json settings;  ///< of the run; a run that goes on must have the same
  nlohmann::json progress;  ///< numbers that change from step to step
  std::map<std::string, std::vector<std::byte>> arrays;
};

/// Written under a temporary name and renamed: what stands there is the previous checkpoint or this one, whole.
void save_checkpoint(const Checkpoint& checkpoint, const std::string& path);
/// Throws Error for anything damaged, truncated or of another kind.
Checkpoint load_checkpoint(const std::string& path);
/// Throws Error naming the first setting that differs from the settings of this run.
void check_settings(const Checkpoint& checkpoint, const nlohmann::json& settings, const std::string& path);

/// The states of the methods. Reading throws Error (starting with `path`) when an array is missing or of the wrong
/// size for n bits and d coordinates.
Checkpoint to_checkpoint(const TrainerState& state, nlohmann::json settings);
TrainerState trainer_state(const Checkpoint& checkpoint, const TrainerOptions& options, std::size_t bits,
                           std::size_t dim, const std::string& path);
Checkpoint to_checkpoint(const PopulationState& state, nlohmann::json settings);
PopulationState population_state(const Checkpoint& checkpoint, std::size_t bits, std::size_t dim,
                                 const std::string& path);
Checkpoint to_checkpoint(const StagedState& state, nlohmann::json settings);
StagedState staged_state(const Checkpoint& checkpoint, const StagedOptions& options, std::size_t dim,
                         const std::string& path);
Checkpoint to_checkpoint(const UnrolledState& state, nlohmann::json settings);
/// Into the state that UnrolledTrainer::start() makes, which has every array in its size.
void restore(const Checkpoint& checkpoint, std::size_t steps, const std::string& path, UnrolledState& state);

}  // namespace signfold
