package io.hypercalld.ioreq.page.planted;

import io.hypercalld.ioreq.server.planted.DispatchingServer;

/** A slot that knows whose it is. */
public record SlotOfAServer(DispatchingServer server) {}
