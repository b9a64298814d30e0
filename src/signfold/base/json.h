// JSON that somebody else may have written.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "signfold/base/error.h"

namespace signfold {

/// Levels of nesting of any file of Signfold, with room.
inline constexpr int kDeepestJson = 16;

/// Parses a text; `what` names it in errors. Json: nlohmann::json or ordered_json. Throws Error for more levels than
/// kDeepestJson: to parse them needs no stack, but a copy or a dump does, and would end the process. Throws
/// nlohmann::json::exception for what is not JSON.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, std::string_view what) {
  return Json::parse(text, [&](int depth, typename Json::parse_event_t /*event*/, Json& /*parsed*/) {
    if (depth > kDeepestJson) fail("{} is nested deeper than {} levels", what, kDeepestJson);
    return true;
  });
}

}  // namespace signfold
