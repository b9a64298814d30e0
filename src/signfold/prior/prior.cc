#include "signfold/prior/prior.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "signfold/base/error.h"
#include "signfold/base/file.h"
#include "signfold/base/json.h"
#include "signfold/prior/channel.h"
#include "signfold/prior/laplace.h"
#include "signfold/prior/mixture.h"

namespace signfold {
namespace {

/// A family with one parameter p in (0, 1].
struct SparseFamily {
  const char* name;
  PriorPtr (*make)(double p);
};
constexpr SparseFamily kSparseFamilies[] = {{"sparse-gaussian", make_sparse_gaussian},
                                            {"sparse-rademacher", make_sparse_rademacher},
                                            {"sparse-laplace", make_sparse_laplace}};
constexpr const char* kKnown = "gaussian, sparse-gaussian:P, sparse-rademacher:P, sparse-laplace:P, mixture:FILE.json";
constexpr std::uint64_t kLargestMixtureFile = 1 << 20;

PriorPtr parse_sparse(const SparseFamily& family, const std::string& text, const std::string& parameter) {
  if (parameter.empty()) fail("{} needs p, e.g. {}:0.1", family.name, family.name);
  double p = 0;
  const char* end = parameter.data() + parameter.size();
  const auto [stop, status] = std::from_chars(parameter.data(), end, p);
  if (status != std::errc() || stop != end) fail("{}: '{}' is not a number; p must be in (0, 1]", text, parameter);
  check_sparsity(text, p);
  return family.make(p);
}

double number_field(const nlohmann::json& component, const std::string& where, const char* field) {
  const auto found = component.find(field);
  if (found == component.end() || !found->is_number()) fail("{}: {} must be a number", where, field);
  return found->get<double>();
}

/// The components of {"components": [{"weight", "mean", "variance"}, …]}; `where` names the source in errors.
std::vector<Component> read_components(const nlohmann::json& json, const std::string& where) {
  const auto list = json.is_object() ? json.find("components") : json.end();
  if (!json.is_object() || list == json.end() || !list->is_array()) {
    fail("{}: it must be an object with a list 'components'", where);
  }
  std::vector<Component> components;
  for (const nlohmann::json& item : *list) {
    const std::string place = fmt::format("{}: components[{}]", where, components.size());
    if (!item.is_object()) fail("{} must be an object with weight, mean and variance", place);
    components.push_back({number_field(item, place, "weight"), number_field(item, place, "mean"),
                          number_field(item, place, "variance")});
  }
  return components;
}

PriorPtr read_mixture_file(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestMixtureFile);
  const nlohmann::json json = [&] {
    try {
      return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
    } catch (const nlohmann::json::exception&) {
      fail("{}: it is not valid JSON", path);
    }
  }();
  const PriorPtr checked = make_mixture(path, read_components(json, path), true);  // its errors name the file
  return make_mixture("mixture", read_components(checked->to_json(), path), false);
}

}  // namespace

double Prior::mmse(double precision) const {
  check_precision(precision);
  const Moments m = moments();
  if (precision == 0) return m.second - m.mean * m.mean;
  const QuadratureRule rule = channel_rule(features(), precision);
  double sum = 0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double y = rule.nodes[i];
    sum += rule.weights[i] * std::exp(log_marginal(y, precision)) * posterior(y, precision).variance;
  }
  return sum;
}

void sample_row(const Prior& prior, std::uint64_t seed, std::uint64_t row, std::span<float> x) {
  RandomStream stream(seed, Purpose::sample, row);
  for (float& value : x) value = static_cast<float>(prior.sample(stream));
}

PriorPtr parse_prior(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string family = text.substr(0, colon);
  const std::string parameter = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (family == "gaussian") {
    if (colon != std::string::npos) fail("{}: gaussian takes no parameter", text);
    return make_gaussian();
  }
  if (family + ":" == kMixturePrefix) {
    if (parameter.empty()) fail("mixture needs a file, e.g. mixture:FILE.json");
    return read_mixture_file(parameter);
  }
  for (const SparseFamily& sparse : kSparseFamilies) {
    if (family == sparse.name) return parse_sparse(sparse, text, parameter);
  }
  fail("unknown prior '{}'; known: {}", text, kKnown);
}

PriorPtr prior_from_json(const nlohmann::json& json) {
  if (!json.is_object()) fail("a prior in JSON must be an object");
  const auto found = json.find("name");
  if (found == json.end() || !found->is_string()) fail("a prior in JSON must have a string 'name'");
  const auto name = found->get<std::string>();
  if (json.contains("components")) return make_mixture(name, read_components(json, name), false);
  if (name.rfind("mixture", 0) == 0) fail("a prior in JSON named '{}' must have 'components'", name);
  return parse_prior(name);
}

std::string prior_help() {
  return "gaussian             N(0, 1)\n"
         "sparse-gaussian:P    N(0, 1/P) with probability P, else 0\n"
         "sparse-rademacher:P  +-1/sqrt(P) with probability P/2 each, else 0\n"
         "sparse-laplace:P     Laplace with scale 1/sqrt(2P) with probability P, else 0\n"
         "mixture:FILE.json    Gaussian mixture: {\"components\": [{\"weight\", \"mean\", \"variance\"}, ...]},\n"
         "                     centred and scaled to mean square 1; variance 0 is a point\n";
}

}  // namespace signfold
