package io.hypercalld.core.planted;

/** Invites inheritance. */
public class Extensible {}
