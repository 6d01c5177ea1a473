package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/** What {@link GetHvmParam} returns. Immutable. */
public record HvmParam(Word value) {}
