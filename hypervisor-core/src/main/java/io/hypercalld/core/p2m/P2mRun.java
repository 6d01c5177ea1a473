package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.Mfn;

/**
 * Neighbouring leaves alike in all but their place, their frames contiguous. Immutable.
 *
 * @param order log2 of the frames of each leaf
 * @param count number of leaves
 */
public record P2mRun(Gfn gfn, Mfn mfn, int order, P2mType type, P2mAccess access, long count) {}
