#pragma once

/** @file
 *  Measuring the layers of one run: the columns of its blocks, on all, training or test patterns.
 *  Private to the study.
 */

#include <infoplane/study.h>

typedef struct measurement measurement;

/** network NULL: the activations of a layer are lent before it is measured. */
PetscErrorCode measurement_create(const ip_plan *plan, const ip_run *run, const int32_t y[],
                                  const ip_split *split, const ip_network *network,
                                  measurement **result);
void measurement_destroy(measurement **result);

/** Columns over the range of the whole run wait for a second pass over all looks. */
typedef enum { FIRST_PASS, SECOND_PASS } pass;
bool measurement_has_second_pass(const measurement *m);

/** h_x, h_y, i_xy of every column into the record. */
PetscErrorCode measurement_entropies(const measurement *m, ip_record *record);

/** Forward all patterns with the network's weights of now. */
PetscErrorCode measurement_snapshot_take(measurement *m);
const ip_snapshot *measurement_snapshot(const measurement *m);

/** All columns of one pass for one layer, into row e of the axis `epoch`.  The first pass also
 *  learns the range of the layer over the run. */
PetscErrorCode measurement_layer(measurement *m, size_t layer, int32_t e, pass p,
                                 ip_record *record);

/** Without a network: the activations of the layer that is measured or learned next, shape (units,
 *  stride), unit-major, 0 past the patterns; borrowed. */
void measurement_lend(measurement *m, size_t stride, const float *t);
/** Widen the range over the run by a layer as it is lent. */
void measurement_learn(measurement *m, size_t layer);

/** From now on the first pass is measured by this crew; NULL: by one alone. */
void measurement_join(measurement *m, const ip_crew *crew);
/** What a member of the crew other than 0 does of measurement_layer in the first pass. */
PetscErrorCode measurement_assist(measurement *m, size_t layer);

/** The range of each layer over the run so far, as pieces of a checkpoint: at most
 *  MEASUREMENT_PIECES; returns how many. */
enum { MEASUREMENT_PIECES = 2 * IP_ONS };
size_t measurement_pieces(measurement *m, ip_piece piece[]);
