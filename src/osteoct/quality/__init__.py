"""Doubt as a result: findings about acquisition, segmentation and artefacts."""
