// Priors: their names, the JSON of mixture files, and the JSON in models. The first byte chooses.
#include <cmath>
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "signfold/prior/prior.h"

namespace signfold::fuzz {
namespace {

void use(const PriorPtr& prior) {
  for (const double precision : {1e-3, 1.0, 1e3}) {
    for (const double y : {-5.0, 0.0, 0.1, 40.0}) {
      const auto posterior = prior->posterior(y, precision);
      require(std::isfinite(posterior.mean) && std::isfinite(posterior.variance), "a posterior is finite");
    }
  }
  require(prior_from_json(prior->to_json())->to_json() == prior->to_json(), "a prior written again is the same");
}

void read(unsigned mode, std::span<const std::byte> content) {
  if (mode == 0) {
    const std::string name(text(content));
    if (name.starts_with("mixture:")) return;  // the files of this machine are no inputs
    use(parse_prior(name));
  } else if (mode == 1) {
    use(parse_prior("mixture:" + memory_file(content)));
  } else {
    const auto json = nlohmann::json::parse(text(content), nullptr, /*allow_exceptions=*/false);
    if (!json.is_discarded() && json.dump().find("mixture:") == std::string::npos) use(prior_from_json(json));
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string mixture =
      R"({"components": [{"weight": 0.75, "mean": 0, "variance": 0}, {"weight": 0.25, "mean": 1.5, "variance": 4e-1}]})";
  return {std::string(1, '\0') + "gaussian",
          std::string(1, '\0') + "sparse-gaussian:0.1",
          std::string(1, '\0') + "sparse-rademacher:0.25",
          std::string(1, '\0') + "sparse-laplace:1e-3",
          '\1' + mixture,
          '\2' + (R"({"name": "shape 1", )" + mixture.substr(1)),
          '\2' + std::string(R"({"name": "sparse-laplace:0.5"})")};
}

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  try {
    fuzz::survives([&] { fuzz::read(data[0] % 3, fuzz::bytes(data + 1, size - 1)); });
  } catch (const nlohmann::json::type_error&) {  // dump() above: the text is not UTF-8
  }
  return 0;
}
