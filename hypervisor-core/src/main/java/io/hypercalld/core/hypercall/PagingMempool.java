package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;

/** What {@link GetPagingMempoolSize} returns: bytes. Immutable. */
public record PagingMempool(Word size) {}
