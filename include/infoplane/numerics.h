#pragma once

/** @file
 *  Functions of numbers and arrays whose result is the same to the last bit on every machine:
 *  only exactly rounded operations in a fixed order, no libm that differs between processors.
 *  Serial.
 */

#include <infoplane/core.h>

/* ---- elementary functions in double: at most 4 ulp, tested against libm --------------------- */

double ip_exp(double x);       /**< e^x; 0 below -745.2, inf above 709.8, NaN for NaN        */
double ip_log(double x);       /**< ln x; -inf at 0, NaN below                               */
double ip_log2(double x);      /**< log2 x; exact at powers of two                           */
double ip_log1p_exp(double x); /**< ln(1 + e^x), no overflow                                 */
double ip_tanh(double x);      /**< odd to the last bit                                      */
double ip_logistic(double x);  /**< 1 / (1 + e^-x)                                           */

/* ---- sums and entropies --------------------------------------------------------------------- */

/** Sum in a fixed order, pairwise: error O(log n) ulp. */
double ip_sum(size_t n, const double value[]);

/** id[i]: number of key[i] among the different keys, in order of appearance; width: bytes of a key,
 *  compared bit by bit.  id: shape (n), n < 2^32 - 1.  A hash only decides where to look, so no
 *  answer depends on it.  IP_ERR_INTERNAL: no memory; id may have changed then. */
PetscErrorCode ip_keys_number(size_t n, const void *const key[], size_t width, uint32_t id[],
                              size_t *different);

/** None of the values is NaN or infinite. */
bool ip_all_finite(size_t n, const float value[]);

/** Entropy of counts n_i, in bits: log2 N - 1/N sum n_i log2 n_i, N = sum n_i.  Zero counts are
 *  allowed; 0 for an empty or all-zero array.  Source: Shannon 1948, plug-in form. */
double ip_entropy_counts(size_t n, const uint32_t count[]);

/** The same for weights w_i >= 0 that need not be whole numbers. */
double ip_entropy_weights(size_t n, const double weight[]);

/** Plug-in bias of I(T;Y) to first order, bits: (B - 1)(k - 1) / (2 N ln 2) for B used cells and
 *  k classes (Miller 1955; Treves and Panzeri 1995). */
double ip_plugin_bias(double cells, double classes, double samples);

/* ---- which instructions the vector kernels may use ------------------------------------------ */

/** Widths a kernel file is compiled for; all give the same bits. */
typedef enum { IP_ISA_BASELINE, IP_ISA_AVX2, IP_ISA_AVX512, IP_ISAS } ip_isa;

/** The widest that this processor and this build have; the environment variable INFOPLANE_ISA
 *  (baseline, avx2, avx512) lowers it, for tests and timing. */
ip_isa ip_isa_best(void);

/** "baseline", "avx2", "avx512"; NULL past the end. */
const char *ip_isa_name(size_t isa);

/* ---- numbers below the smallest normal one ---------------------------------------------------- */

/** From here on this thread reads and writes denormals as 0, whose arithmetic costs some processors a
 *  hundred times that of others: weights and moments of units that no longer learn fade through them.
 *  Returns how it was, for ip_denormals_restore.  x86-64 and AArch64; elsewhere nothing changes. */
uint64_t ip_denormals_flush(void);
void ip_denormals_restore(uint64_t before);
