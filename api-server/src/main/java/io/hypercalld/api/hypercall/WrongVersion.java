package io.hypercalld.api.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.Hypercall;

/** A well-formed call of an operation, made for another version of its interface. Immutable. */
public record WrongVersion(String call, String op, Word version) implements Hypercall {}
