"""Configurations of commands: dataclasses, flags, YAML files and the recipes that ship."""
