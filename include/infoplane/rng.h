#pragma once

/** @file
 *  Numbered random streams: Philox4x32-10 of Random123 (Salmon et al., SC11).
 *
 *  A random number is a pure function of (seed, replicate, purpose, counter).  No rank, run
 *  number or coordinate of the grid enters: sweeps grow, are split and continued without
 *  changing a number, and equal replicates are paired over the grid.  There is no state.
 *
 *  Serial.  Integer arithmetic and exactly rounded operations only: same bits on every machine.
 */

#include <infoplane/core.h>

/** What a number is drawn for. The value enters the key: never renumber, only append. */
typedef enum {
  IP_PURPOSE_SPLIT = 1,     /**< permutation of the patterns: train = its first part       */
  IP_PURPOSE_WEIGHT = 2,    /**< initial weight; counter from (layer, unit, input)         */
  IP_PURPOSE_SHUFFLE = 3,   /**< order of the training set; counter from (epoch, step)     */
  IP_PURPOSE_LABEL = 4,     /**< drawn label; counter = pattern                            */
  IP_PURPOSE_CONTROL = 5,   /**< shuffled labels                                           */
  IP_PURPOSE_GRADIENT = 6,  /**< partition of the training set for gradient statistics     */
  IP_PURPOSE_SAMPLES = 7,   /**< choice of samples of a data set; replicate 0              */
  IP_PURPOSE_BOOTSTRAP = 8, /**< resamples of replicates                                  */
  IP_PURPOSE_TEST = 255     /**< tests and benches                                         */
} ip_purpose;

/** A stream; a plain value. */
typedef struct {
  uint64_t seed;
  uint32_t replicate;
  ip_purpose purpose;
} ip_stream;

/** Four random words at this counter. */
void ip_stream_words(const ip_stream *stream, uint64_t counter, uint32_t word[4]);

/** Uniform in the open interval (0, 1), 52 bits. */
double ip_stream_uniform(const ip_stream *stream, uint64_t counter);

/** Standard normal cut off at two sigmas (redrawn beyond, not rescaled: its own standard
 *  deviation is 0.8796).  Uses the counters counter + (attempt << 56), attempt = 0, 1, ...,
 *  so counter must be below 2^56. */
double ip_stream_truncated_normal(const ip_stream *stream, uint64_t counter);

/** Put n items into a uniformly random order (Fisher-Yates, unbiased), which depends on (stream,
 *  number, n) alone.  number tells the orders of one stream apart (the epoch, for instance) and must
 *  be below 2^31; n below 2^31. */
void ip_stream_shuffle(const ip_stream *stream, uint64_t number, size_t n, uint32_t item[]);

/** The same of 0 .. n-1: a uniform permutation. */
void ip_stream_permutation(const ip_stream *stream, uint64_t number, size_t n,
                           uint32_t order[]);
