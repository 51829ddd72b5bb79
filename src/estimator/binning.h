#pragma once

/* What the fast binning and its slow reference share: the meaning of a column. */

#include <infoplane/estimator.h>

enum { IP_BINNING_BINS, IP_BINNING_RULE, IP_BINNING_WIDTH, IP_BINNING_RANGE };
enum { IP_RULE_PLAIN, IP_RULE_IDNNS };
enum { IP_RANGE_ACTIVATION, IP_RANGE_SNAPSHOT, IP_RANGE_RUN };

/* Cells 0 .. cells-1 of one unit: cell i begins at edge i, the first and the last also take what
   lies outside. */
typedef struct {
  double low, high, parts; /* the range is cut into this many equal parts */
  uint32_t cells;
} ip_bins;

/* The bins of a column without width; snapshot: smallest and largest activation of the layer. */
PetscErrorCode ip_bins_of(const ip_layer *layer, const ip_column *column,
                          const double snapshot[2], ip_bins *bins);

/* Edge i: low + i (high - low) / parts, exactly high at i = parts. */
double ip_bins_edge(const ip_bins *bins, uint32_t i);

PetscErrorCode ip_binning_reference(const ip_layer *layer, const ip_column *column,
                                    ip_information *out);
