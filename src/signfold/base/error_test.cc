#include "signfold/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace signfold {
namespace {

template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::invalid, "nothing was thrown"};
}

TEST(Error, SaysWhatTheCallerSaid) {
  const Error error = error_of([] { fail("rate {}: it must be above 0", -1); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_STREQ(error.what(), "rate -1: it must be above 0");
  EXPECT_EQ(error.system_code(), 0);
  EXPECT_EQ(error_of([] { fail_io("cannot read {}", "x"); }).kind(), ErrorKind::io);
}

TEST(Error, KeepsTheCodeOfTheSystemAndItsWords) {
  const Error error = error_of([] { fail_system(ENOENT, "cannot read {}", "x"); });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_STREQ(error.what(), "cannot read x: No such file or directory");
  EXPECT_EQ(error.system_code(), ENOENT);
}

}  // namespace
}  // namespace signfold
