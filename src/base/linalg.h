// Dense linear algebra in double precision: Cholesky's factor of a symmetric matrix, and what
// follows from it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/parallel.h"
#include "base/view.h"

namespace cupel {

// Matrices are row-major and square, [n,n], unless said otherwise. Blocks of 64 are packed and
// multiplied in registers (Goto and van de Geijn 2008), in the instructions every x86-64 has and
// without fused multiply-adds: results are the same bits for any number of threads and on any
// machine. Left out: pivoting, and matrices that do not fit in memory.

/// A = L·Lᵀ of a symmetric positive definite matrix, of which the lower triangle is read. It
/// becomes L; what is above the diagonal becomes 0. Right-looking (Golub and Van Loan 2013,
/// section 4.2.6). Returns nothing when it succeeds, else the first pivot that is not a positive
/// finite number: A is not positive definite, and is left half done.
std::optional<int64_t> cholesky(View<double> a, ThreadPool& pool);

/// L·X = B, B[n,m] becomes X: forward substitution. Only the lower triangle of L is read; its
/// diagonal must not be 0.
void solve_lower(View<const double> l, View<double> b, ThreadPool& pool);
/// Lᵀ·X = B, B[n,m] becomes X: back substitution, likewise.
void solve_lower_transposed(View<const double> l, View<double> b, ThreadPool& pool);
/// L·Lᵀ·X = B, B[n,m] becomes X: the systems of the matrix whose factor L is.
void cholesky_solve(View<const double> l, View<double> b, ThreadPool& pool);

/// L becomes its inverse, lower too; what is above the diagonal becomes 0.
void invert_lower(View<double> l, ThreadPool& pool);
/// L becomes (L·Lᵀ)⁻¹, both triangles: the inverse of the matrix whose factor it is.
void cholesky_inverse(View<double> l, ThreadPool& pool);

/// The upper triangular U with A⁻¹ = Uᵀ·U, whose row i has what is left of the inverse once rows
/// and columns before i are gone (GPTQ, Frantar et al. 2023, section 3.3). The upper triangle of A
/// is read and becomes U, the lower one 0. The inverse itself is never made: with the order of rows
/// and columns reversed, A's factor is the inverse of U's. Returns what cholesky() returns, the
/// pivot counted in A's own order.
std::optional<int64_t> inverse_factor(View<double> a, ThreadPool& pool);

}  // namespace cupel
