package io.hypercalld.api.experiment;

/** What an experiment found: for programs as it is, and for people as text. */
public interface Findings {
  /** Tables of what was found, and lines on them. */
  String toText();
}
