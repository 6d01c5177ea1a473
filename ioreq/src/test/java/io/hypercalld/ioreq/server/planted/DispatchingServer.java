package io.hypercalld.ioreq.server.planted;

import io.hypercalld.ioreq.planted.Borrower;
import java.util.Optional;

/** A server that knows what lies above it. */
public record DispatchingServer(Optional<Borrower> dispatch) {}
