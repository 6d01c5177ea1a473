package io.hypercalld.core.hypercall;

/** What {@link SharingOp} returns for a page that was nominated. Immutable. */
public record SharingHandle(long handle) {}
