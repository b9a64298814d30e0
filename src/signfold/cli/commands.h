// One function per command; each lives in command_NAME.cc.
#pragma once

#include "signfold/cli/command.h"

namespace signfold::cli {

Action declare_predict(CLI::App& app, const Common& common);
Action declare_simulate(CLI::App& app, const Common& common);
Action declare_phase(CLI::App& app, const Common& common);
Action declare_fit(CLI::App& app, const Common& common);
Action declare_train(CLI::App& app, const Common& common);
Action declare_encode(CLI::App& app, const Common& common);
Action declare_decode(CLI::App& app, const Common& common);
Action declare_truncate(CLI::App& app, const Common& common);
Action declare_eval(CLI::App& app, const Common& common);
Action declare_info(CLI::App& app, const Common& common);
Action declare_verify(CLI::App& app, const Common& common);
Action declare_reproduce(CLI::App& app, const Common& common);
Action declare_demo(CLI::App& app, const Common& common);

}  // namespace signfold::cli
