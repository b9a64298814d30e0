// Saving a training run so that nothing but the current step is ever lost.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/codec/train.h"
#include "signfold/training/checkpoint.h"

namespace signfold {

/// Saves a run now and then, and when it is interrupted.
class Keeper {
 public:
  Keeper(const TrainRequest& request, nlohmann::json settings) : request_(request), settings_(std::move(settings)) {}

  /// The checkpoint to go on from, if that was asked for. Throws Error when it is not the checkpoint of this run, or
  /// when a new run would overwrite the progress of another one.
  std::optional<Checkpoint> resumed() const {
    if (!request_.resume) {
      check_nothing_is_lost();
      return std::nullopt;
    }
    if (request_.checkpoint.empty()) fail("resuming needs the checkpoint of the run");
    Checkpoint checkpoint = load_checkpoint(request_.checkpoint);
    check_settings(checkpoint, settings_, request_.checkpoint);
    return checkpoint;
  }
  /// To be called with the state that the run starts from, so that there always is a last good one.
  template <class State>
  void begin(const State& state) {
    if (!request_.resume) return save(state);
    saved_step_ = state.step;
  }
  bool due() const {
    return saves() && std::chrono::duration<double>(Clock::now() - saved_).count() >= request_.checkpoint_seconds;
  }
  template <class State>
  void save(const State& state) {
    if (!saves()) return;
    save_checkpoint(to_checkpoint(state, settings_), request_.checkpoint);
    saved_ = Clock::now();
    saved_step_ = state.step;
  }
  /// How a run that went wrong may go on.
  std::string remedy() const {
    return saved_step_ ? fmt::format("; {} holds the last good state, of step {}", request_.checkpoint, *saved_step_)
                       : std::string();
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool saves() const { return !request_.checkpoint.empty() && speaks(request_.ranks); }
  void check_nothing_is_lost() const {
    std::error_code ignored;  // of a path that cannot be followed: saving there says so
    if (!saves() || !std::filesystem::exists(request_.checkpoint, ignored)) return;
    const auto step = load_checkpoint(request_.checkpoint).progress.value("step", std::size_t{0});
    if (step == 0) return;
    fail("{} holds step {} of a run that did not end: resume that run, or delete the file", request_.checkpoint, step);
  }

  const TrainRequest& request_;
  nlohmann::json settings_;
  Clock::time_point saved_ = Clock::now();
  std::optional<std::size_t> saved_step_;
};

/// Runs `loop`, which works on `state`. An interrupt saves the state: loops look for one between steps only.
template <class State, class Loop>
void run_and_keep(const TrainRequest& request, Keeper& keeper, const State& state, std::size_t steps,
                  const Loop& loop) {
  keeper.begin(state);
  try {
    loop();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      if (request.checkpoint.empty()) throw;
      keeper.save(state);
      throw Error(ErrorKind::interrupted, fmt::format("stopped after step {} of {}; {} holds it: resume to go on",
                                                      state.step, steps, request.checkpoint));
    }
    throw Error(error.kind(), error.what() + keeper.remedy(), error.system_code());
  }
}

}  // namespace signfold
