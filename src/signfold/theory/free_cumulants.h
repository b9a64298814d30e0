// Rectangular free cumulants: what a decoder must know about the singular values of B (docs/rigamp.md sections 4.1
// and 4.2).
#pragma once

#include <span>
#include <vector>

namespace signfold {

/// κ_2, κ_4, …, κ_{2·count} of an n × d matrix with n = rate·d, from the n eigenvalues of B Bᵀ (n − d of them zero if
/// n > d), which are scaled to mean 1 first: then κ_2 = 1. For an orthonormal B (−q)^{k−1} Catalan(k − 1), q =
/// min(r, 1); for independent Gaussian entries 1, 0, 0, … in the limit. Summed with 100 digits, because the recursion
/// cancels about k digits. Throws Error for no or negative eigenvalues, all of them zero, a rate ≤ 0 or count < 1.
std::vector<double> free_cumulants(std::span<const double> eigenvalues, double rate, int count);
/// The same from the moments m_{2k} = tr((B Bᵀ)^k)/n, k = 1, 2, …, given exactly: as many cumulants as moments.
std::vector<double> free_cumulants_of_moments(std::span<const double> moments, double rate);

}  // namespace signfold
