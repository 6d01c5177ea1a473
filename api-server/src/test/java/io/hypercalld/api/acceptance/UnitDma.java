package io.hypercalld.api.acceptance;

import com.fasterxml.jackson.databind.JsonNode;

/** What became of a DMA. */
record UnitDma(JsonNode body) {
  boolean done() {
    return body.get("outcome").asText().equals("done");
  }

  /** Machine address of the first byte; empty text where it did not get there. */
  String maddr() {
    return body.at("/segments/0/maddr").asText();
  }

  boolean landedAt(long maddr) {
    return maddr().equals("0x" + Long.toHexString(maddr));
  }

  /** The first fault's reason number; 0 where there was none. */
  int fault() {
    String reason = body.at("/fault/reason").asText("");
    return reason.isEmpty() ? 0 : Integer.decode(reason);
  }

  boolean recorded() {
    return body.at("/fault/recorded").asBoolean();
  }

  /** How the first segment ended. */
  String end() {
    return body.at("/segments/0/end").asText();
  }

  boolean hitCache() {
    return body.at("/segments/0/cache").asText().equals("hit");
  }
}
