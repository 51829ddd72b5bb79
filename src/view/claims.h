#pragma once

/** @file
 *  What is claimed, and what a file says to it.  Private to the view.
 *
 *  A claim is one effect with a margin (claims.def).  A finding is that effect in one study,
 *  one setting of it and one estimator column, with its interval and its verdict.
 */

#include "contrast.h"
#include "csv.h"
#include "digest.h"
#include "weights.h"

#include <stdio.h>

/** A study in one estimator column; for numbers of no column the column is SWEEP_NONE. */
typedef struct {
  const sweep *s;
  const sweep_study *study;
  int column;
  const digest *of;     /**< shape (study->n): of the column; of == common for SWEEP_NONE */
  const digest *common; /**< shape (study->n): of no column                              */
} subject;

/** A number of run i of a group; NaN: it has none. */
typedef double (*run_number)(const subject *x, size_t group, size_t run);

typedef enum {
  PER_RUN,  /**< mean of f                                                      */
  RANKS,    /**< rank correlation of f and g over replicates                    */
  PAIRED,   /**< mean of f(a) - f(b) over replicates of two groups: contrast.h  */
  SOONER,   /**< share of pairs in which a comes sooner, less that in which it comes later */
  BINS,     /**< mean of f in fixed bins less f in bins of range snapshot       */
  NETWORKS, /**< correlation of the weights of two replicates                   */
  SHOWN     /**< nothing to compute                                             */
} claim_how;
typedef enum { AT_LEAST, AT_MOST } claim_side;
typedef enum { ALL_GROUPS, ONLY_FULL_BATCHES } claim_only;

/** A row of claims.def. */
typedef struct {
  const char *id, *number;    /**< "compression", "2a"                                      */
  const char *who, *sentence; /**< reference; what is claimed                               */
  claim_how how;
  run_number f, g;
  contrast_key by; /**< of PAIRED and SOONER                                     */
  claim_only only;
  bool no_column; /**< no estimator enters                                      */
  bool binned;    /**< binning columns alone                                    */
  const char *unit;
  claim_side side;
  double margin;
  const char *reason;     /**< of the margin                                            */
  const char *definition; /**< of the effect                                            */
  const char *empty;      /**< why replicates may have no value, NULL: not measured     */
  const char *lacks;      /**< what a study must have for it, NULL: finished runs       */
} claim;

const claim *claim_row(size_t i); /**< NULL past the end */

/** How an interval of the claim's effect stands to its margin. */
verdict claim_judge(const claim *c, const interval *effect);

typedef struct {
  size_t claim;              /**< row of claims.def                                          */
  const sweep_study *study;  /**< NULL: no study has what the claim needs                    */
  size_t a, b;               /**< groups; equal where one is enough                          */
  int column, other;         /**< SWEEP_NONE: none; other: the second column of BINS         */
  ip_text setting, compared; /**< in words, may be empty                                     */
  interval effect;
  size_t left_out; /**< finished replicates without a value, or without a partner  */
  size_t diverged, failed,
      pending; /**< runs of its groups that do not count                   */
  bool has_censored;
  size_t censored; /**< of SOONER: runs whose event was not seen by their end      */
  verdict verdict;
  ip_text note;
} finding;

/** Begin with {0}. */
typedef struct {
  size_t n, room;
  finding *finding;
} findings;

/** One more finding, not tested so far; valid until the next is added. */
PetscErrorCode claims_add(findings *all, finding **added);

/** Judge every claim that the subject has numbers for.  Columns that do not measure on all
 *  patterns are left out. */
PetscErrorCode claims_judge(const subject *x, findings *all);

/** Add what no study has, and put findings into the order of claims, studies and groups. */
PetscErrorCode claims_complete(findings *all);
void claims_clear(findings *all);

/** Of findings first .. first + n - 1, the columns of one claim in one setting: the common
 *  verdict, or false with *depends set where some agree and some disagree. */
verdict claims_common(size_t n, const finding first[], bool *depends);
/** How many findings from i on belong to the same claim, study and setting. */
size_t claims_block(const findings *all, size_t i);

/** Append the columns of a block with this verdict: "agrees: bin30 kde_upper_0.1"; nothing
 *  if there are none. */
PetscErrorCode claims_columns(const sweep *s, size_t n, const finding first[], verdict which,
                              ip_text *text);

PetscErrorCode claims_write(const sweep *s, const findings *all, csv *table);
PetscErrorCode claims_write_definitions(csv *table);
PetscErrorCode claims_print(const sweep *s, const findings *all, FILE *say);
/** Text broken at spaces to lines of 100 columns, every one indented; ends its last line. */
void claims_wrap(FILE *say, int indent, const char *text);
