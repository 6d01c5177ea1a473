package io.hypercalld.api.json;

import io.hypercalld.core.bits.Word;

/**
 * A record that was written together with a number that is not its own. Immutable.
 *
 * @param <T> the record
 */
public record Framed<T>(T value, Word frame) {}
