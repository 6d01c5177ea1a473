package io.hypercalld.core.planted.cycle.here;

import io.hypercalld.core.planted.cycle.there.There;
import java.util.Optional;

/** Knows {@link There}, which knows it. */
public record Here(Optional<There> other) {}
