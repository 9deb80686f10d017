"""TikTok as an ad platform of marketing-agents, as an example of a plug-in: begin with spec.py.

The API is a small one in the style of TikTok's Marketing API. The real one also wants a video, an identity and a
pixel for every ad.
"""
