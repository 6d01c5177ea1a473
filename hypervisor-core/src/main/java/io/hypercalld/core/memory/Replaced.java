package io.hypercalld.core.memory;

/**
 * What words that were stored took the place of. Immutable.
 *
 * @param count how many were others before
 * @param any what these were, ORed
 */
public record Replaced(int count, long any) {}
