package io.hypercalld.core.memory;

/**
 * Consecutive frames. Immutable.
 *
 * @param mfn the first
 * @param count how many
 */
public record FrameRun(long mfn, long count) {}
