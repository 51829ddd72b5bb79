#pragma once

/** @file
 *  Numbers of a run that claims name as their effect.  Private to the view.
 */

#include "claims.h"

double label_gained(const subject *x, size_t group, size_t run);
double input_gained(const subject *x, size_t group, size_t run);
double fall(const subject *x, size_t group, size_t run);
double label_lost(const subject *x, size_t group, size_t run);
double label_fall_of_output(const subject *x, size_t group, size_t run);
/** Optimizer steps before the look at which the event is seen first; NaN: not by the end. */
double updates_to_peak(const subject *x, size_t group, size_t run);
double updates_to_fallen(const subject *x, size_t group, size_t run);
double updates_to_learned(const subject *x, size_t group, size_t run);
double updates_to_onset(const subject *x, size_t group, size_t run);
double has_onset(const subject *x, size_t group, size_t run);
double accuracy(const subject *x, size_t group, size_t run);
double distance(const subject *x, size_t group, size_t run);
double misfit(const subject *x, size_t group, size_t run);
double correlation_of_neurons(const subject *x, size_t group, size_t run);
double rises(const subject *x, size_t group, size_t run);

/** Layer l takes part in the correlation of neurons: not the two units of a softmax. */
bool neurons_compare(const subject *x, size_t group, size_t layer);
