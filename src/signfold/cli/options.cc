#include "signfold/cli/options.h"

#include <charconv>

#include "signfold/base/error.h"

namespace signfold::cli {

void check_rate(double rate) {
  constexpr double kMost = 1e6;
  if (!(rate > 0 && rate <= kMost)) {
    fail("--rate must be a positive number of bits per dimension, at most {}, not {}", kMost, rate);
  }
}

CLI::Validator at_least(std::uint64_t least) {
  const auto check = [least](const std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end && value >= least) return {};
    return fmt::format("'{}' is not a whole number of at least {}", text, least);
  };
  return {check, "", "at least"};
}

void add_search(CLI::App& app, std::optional<std::size_t>& rounds) {
  app.add_option("--search", rounds,
                 "Trained stages: rounds in which better bits than the signs are searched for (default: the model's)")
      ->type_name("R")
      ->check(at_least(0));
}

}  // namespace signfold::cli
