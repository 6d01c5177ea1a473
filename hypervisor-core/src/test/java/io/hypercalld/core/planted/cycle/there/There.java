package io.hypercalld.core.planted.cycle.there;

import io.hypercalld.core.planted.cycle.here.Here;
import java.util.Optional;

/** Knows {@link Here}, which knows it. */
public record There(Optional<Here> other) {}
