#include "signfold/cli/options.h"

#include <charconv>

#include "signfold/cli/suggest.h"
#include "signfold/codec/fit.h"
#include "signfold/encoder/encoder.h"

namespace signfold::cli {

void check_rate(double rate) {
  constexpr double kMost = 1e6;
  if (!(rate > 0 && rate <= kMost)) {
    fail("--rate must be a positive number of bits per dimension, at most {}, not {}", kMost, rate);
  }
}

PriorPtr read_prior(const std::string& text) {
  check_spelling("prior", text, prior_help());
  return parse_prior(text);
}

DecoderChoice read_decoder(const std::string& text) {
  check_spelling("decoder", text, decoder_help());
  return parse_decoder(text);
}

EncoderPtr read_encoder(const std::string& text, const PriorPtr& prior, double rate) {
  check_spelling("encoder", text, fitted_encoder_help());
  return make_encoder(resolve_encoder(text, iid_prior(prior), *prior, rate), {.dim = 2, .bits = 2}, 0);
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

std::string fitted_encoder_help() {
  std::string help = encoder_help();
  if (!help.ends_with('\n')) help += '\n';
  return help +
         "mixed             mixed:M with the M of least linear risk for the prior\n"
         "auto              the fast rotation, or the mixed encoder where that is better\n"
         "dense:FILE        the rows of a matrix (.npy), or the encoder of a model (.sfm), as a trained one\n";
}

}  // namespace signfold::cli
