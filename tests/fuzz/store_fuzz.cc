// Points that `signfold reproduce` has kept. An odd first byte: what follows is the point alone, and gets a checksum.
#include <fmt/format.h>

#include "fuzz.h"
#include "signfold/base/hash.h"
#include "signfold/base/json.h"
#include "signfold/experiment/store.h"

namespace signfold::fuzz {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPoint =
    R"({"figure":"figure","settings":{"p":0.1,"prior":"sparse-gaussian"},"seed":7,"version":"1","seconds":1.5,)"
    R"("measurements":[{"quantity":"risk","where":{"layer":2},"value":0.5,"stderr":1e-17}],)"
    R"("pictures":[{"name":"B","cols":2,"values":[0.5,0.25,1.0,0.0]}]})";

/// A text that is no JSON, or would not come back as it is, gets a checksum that is wrong.
std::string with_checksum(std::string_view point) {
  std::string dumped(point);
  try {
    dumped = parse_json<Json>(point, "a point").dump();
  } catch (const nlohmann::json::exception&) {
  } catch (const Error&) {
  }
  return fmt::format(R"({{"checksum":"{:016x}","point":{}}})", hash64(bytes(dumped)), point);
}

}  // namespace

std::vector<std::string> seeds() { return {'\0' + with_checksum(kPoint), '\1' + std::string(kPoint)}; }

}  // namespace signfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signfold;  // NOLINT
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text(fuzz::bytes(data + 1, size - 1));
  const std::string file = data[0] % 2 == 1 ? fuzz::with_checksum(rest) : std::string(rest);
  fuzz::survives([&] { experiment::read_point(fuzz::memory_file(fuzz::bytes(file))); });
  return 0;
}
