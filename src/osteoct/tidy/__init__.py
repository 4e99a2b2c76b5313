"""Masks put in order before they are measured."""
