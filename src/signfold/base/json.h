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
  using Event = typename Json::parse_event_t;
  return Json::parse(text, [&](int around, Event event, Json& /*parsed*/) {  // levels around what the event is of
    const bool opens = event == Event::array_start || event == Event::object_start;
    if (around + (opens ? 1 : 0) > kDeepestJson) fail("{} is nested deeper than {} levels", what, kDeepestJson);
    return true;
  });
}

}  // namespace signfold
