#include "signfold/theory/free_cumulants.h"

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>

#include "signfold/base/error.h"
#include "signfold/theory/rate.h"

namespace signfold {
namespace {

using Real = boost::multiprecision::cpp_bin_float_100;
/// A power series without constant term: element k is the coefficient of x^{k+1}.
using Series = std::vector<Real>;

/// Product of two such series, up to the order of the shorter.
Series product(const Series& a, const Series& b) {
  Series out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == 0) continue;
    for (std::size_t j = 0; i + j + 1 < out.size(); ++j) out[i + j + 1] += a[i] * b[j];
  }
  return out;
}

/// W(x) = x (r M + 1)(M + 1) with M(x) = Σ m_{2k} x^k.
Series subordination(const Series& moments, double rate) {
  const Series square = product(moments, moments);
  Series out(moments.size());
  out[0] = 1;
  for (std::size_t k = 0; k + 1 < out.size(); ++k) out[k + 1] = rate * square[k] + (rate + 1) * moments[k];
  return out;
}

/// κ_{2n} = m_{2n} − Σ_{j<n} κ_{2j} [xⁿ] W(x)^j: what is left of Σ m_{2n} xⁿ when the powers of W, which begin with
/// x^j, are taken away one after the other.
std::vector<double> cumulants(const Series& moments, double rate) {
  const Series w = subordination(moments, rate);
  Series rest = moments;
  Series power = w;
  std::vector<double> kappa;
  for (std::size_t j = 0; j < moments.size(); ++j) {
    const Real now = rest[j];
    kappa.push_back(static_cast<double>(now));
    for (std::size_t n = j; n < rest.size(); ++n) rest[n] -= now * power[n];
    power = product(power, w);
  }
  return kappa;
}

Series spectral_moments(std::span<const double> eigenvalues, int count) {
  Series moments(static_cast<std::size_t>(count));
  for (const double value : eigenvalues) {
    if (!(value >= 0 && std::isfinite(value))) fail("free cumulants: an eigenvalue of B Bᵀ is {}", value);
    Real power = 1;
    for (Real& moment : moments) moment += power *= value;
  }
  // Scaling B to unit mean, so that rounding in its rows does not count as a different matrix.
  const Real mean = moments[0] / eigenvalues.size();
  if (!(mean > 0)) fail("free cumulants: all eigenvalues of B Bᵀ are zero");
  Real unit = eigenvalues.size();
  for (Real& moment : moments) moment /= unit *= mean;
  return moments;
}

}  // namespace

std::vector<double> free_cumulants(std::span<const double> eigenvalues, double rate, int count) {
  check_rate(rate);
  if (eigenvalues.empty() || count < 1) {
    fail("free cumulants: {} eigenvalues and {} cumulants; at least one of each is needed", eigenvalues.size(), count);
  }
  return cumulants(spectral_moments(eigenvalues, count), rate);
}

std::vector<double> free_cumulants_of_moments(std::span<const double> moments, double rate) {
  check_rate(rate);
  if (moments.empty()) fail("free cumulants: there are no moments");
  return cumulants(Series(moments.begin(), moments.end()), rate);
}

}  // namespace signfold
