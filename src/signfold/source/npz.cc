#include "signfold/source/npz.h"

#include <algorithm>
#include <vector>

#include "signfold/base/error.h"
#include "signfold/source/zip.h"

namespace signfold {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// The name NumPy shows.
std::string_view array_name(const ZipMember& member) {
  std::string_view name = member.name;
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  return name;
}

std::string names_of(const std::vector<ZipMember>& members) {
  constexpr std::size_t shown = 20;
  std::string out;
  for (std::size_t i = 0; i < std::min(shown, members.size()); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : ", ", array_name(members[i]));
  }
  if (members.size() > shown) out += ", …";
  return out;
}

}  // namespace

std::unique_ptr<ByteStream> open_npz(const std::string& path, const std::string& name) {
  const std::vector<ZipMember> members = read_zip_directory(path);
  if (members.empty()) fail("{} is an empty archive", path);
  if (name.empty()) {
    if (members.size() == 1) return open_zip_member(path, members.front());
    fail("{} holds several arrays: name one as {}:NAME, where NAME is one of {}", path, path, names_of(members));
  }
  const auto found =
      std::ranges::find_if(members, [&](const ZipMember& m) { return array_name(m) == name || m.name == name; });
  if (found == members.end()) fail("{} has no array '{}'; it holds {}", path, name, names_of(members));
  return open_zip_member(path, *found);
}

}  // namespace signfold
